-- What is cut out of the recording. A clip outlives the segment it was cut
-- along; the index on that reference keeps replacing segments from scanning
-- all clips.
CREATE TABLE clips (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    clip_id UUID NOT NULL CONSTRAINT clips_clip_id_key UNIQUE,
    job_id UUID NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    content_segment_id UUID REFERENCES content_segments (segment_id) ON DELETE SET NULL,
    title TEXT NOT NULL
        CONSTRAINT clips_title_length CHECK (char_length(title) BETWEEN 1 AND 200),
    topic TEXT
        CONSTRAINT clips_topic_length CHECK (char_length(topic) <= 200),
    importance_score DOUBLE PRECISION
        CONSTRAINT clips_importance_score_range CHECK (importance_score BETWEEN 0 AND 1),
    start_time DOUBLE PRECISION NOT NULL
        CONSTRAINT clips_start_time_range CHECK (start_time >= 0),
    end_time DOUBLE PRECISION NOT NULL
        CONSTRAINT clips_end_time_range CHECK (end_time >= start_time AND end_time < 'Infinity'),
    duration DOUBLE PRECISION NOT NULL GENERATED ALWAYS AS (end_time - start_time) STORED,
    s3_key TEXT
        CONSTRAINT clips_s3_key_length CHECK (char_length(s3_key) <= 500),
    thumbnail_s3_key TEXT
        CONSTRAINT clips_thumbnail_s3_key_length CHECK (char_length(thumbnail_s3_key) <= 500),
    subtitle_s3_key TEXT
        CONSTRAINT clips_subtitle_s3_key_length CHECK (char_length(subtitle_s3_key) <= 500),
    clip_order INTEGER NOT NULL
        CONSTRAINT clips_clip_order_range CHECK (clip_order >= 0),
    extra_metadata JSONB NOT NULL DEFAULT '{}'
        CONSTRAINT clips_extra_metadata_object CHECK (jsonb_typeof(extra_metadata) = 'object'),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT clips_job_id_clip_order_key UNIQUE (job_id, clip_order)
);

CREATE INDEX clips_content_segment_id_idx ON clips (content_segment_id) WHERE content_segment_id IS NOT NULL;

-- What is cut out of the recording. A clip outlives the segment it was cut
-- along; the index on that reference keeps replacing segments from scanning
-- all clips.
CREATE TABLE clips (
    id INTEGER NOT NULL PRIMARY KEY,
    clip_id TEXT NOT NULL CONSTRAINT clips_clip_id_key UNIQUE
        CONSTRAINT clips_clip_id_uuid
        CHECK (clip_id GLOB '????????-????-????-????-????????????' AND clip_id NOT GLOB '*[^-0-9a-f]*'),
    job_id TEXT NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    content_segment_id TEXT REFERENCES content_segments (segment_id) ON DELETE SET NULL,
    title TEXT NOT NULL
        CONSTRAINT clips_title_length CHECK (length(title) BETWEEN 1 AND 200),
    topic TEXT
        CONSTRAINT clips_topic_length CHECK (length(topic) <= 200),
    importance_score REAL
        CONSTRAINT clips_importance_score_range CHECK (importance_score BETWEEN 0 AND 1),
    start_time REAL NOT NULL
        CONSTRAINT clips_start_time_range CHECK (start_time >= 0),
    end_time REAL NOT NULL
        CONSTRAINT clips_end_time_range CHECK (end_time >= start_time AND end_time < 9e999),
    duration REAL NOT NULL GENERATED ALWAYS AS (end_time - start_time) STORED,
    s3_key TEXT
        CONSTRAINT clips_s3_key_length CHECK (length(s3_key) <= 500),
    thumbnail_s3_key TEXT
        CONSTRAINT clips_thumbnail_s3_key_length CHECK (length(thumbnail_s3_key) <= 500),
    subtitle_s3_key TEXT
        CONSTRAINT clips_subtitle_s3_key_length CHECK (length(subtitle_s3_key) <= 500),
    clip_order INTEGER NOT NULL
        CONSTRAINT clips_clip_order_range CHECK (clip_order BETWEEN 0 AND 2147483647),
    extra_metadata TEXT NOT NULL DEFAULT '{}'
        CONSTRAINT clips_extra_metadata_object
        CHECK (CASE WHEN json_valid(extra_metadata) THEN json_type(extra_metadata) = 'object' ELSE FALSE END),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
        CONSTRAINT clips_created_at_utc
        CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT clips_job_id_clip_order_key UNIQUE (job_id, clip_order)
) STRICT;

CREATE INDEX clips_content_segment_id_idx ON clips (content_segment_id) WHERE content_segment_id IS NOT NULL;

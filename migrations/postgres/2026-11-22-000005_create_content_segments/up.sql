-- What the recording is about, topic by topic. The JSON paths are strict because
-- the lax ones look into nested arrays.
CREATE TABLE content_segments (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    segment_id UUID NOT NULL CONSTRAINT content_segments_segment_id_key UNIQUE,
    job_id UUID NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    start_time DOUBLE PRECISION NOT NULL
        CONSTRAINT content_segments_start_time_range CHECK (start_time >= 0),
    end_time DOUBLE PRECISION NOT NULL
        CONSTRAINT content_segments_end_time_range CHECK (end_time >= start_time AND end_time < 'Infinity'),
    duration DOUBLE PRECISION NOT NULL GENERATED ALWAYS AS (end_time - start_time) STORED,
    topic TEXT NOT NULL
        CONSTRAINT content_segments_topic_length CHECK (char_length(topic) BETWEEN 1 AND 200),
    description TEXT,
    importance_score DOUBLE PRECISION NOT NULL
        CONSTRAINT content_segments_importance_score_range CHECK (importance_score BETWEEN 0 AND 1),
    keywords JSONB NOT NULL DEFAULT '[]'
        CONSTRAINT content_segments_keywords_strings
        CHECK (jsonb_typeof(keywords) = 'array' AND NOT jsonb_path_exists(keywords, 'strict $[*] ? (@.type() != "string")')),
    concepts JSONB NOT NULL DEFAULT '[]'
        CONSTRAINT content_segments_concepts_strings
        CHECK (jsonb_typeof(concepts) = 'array' AND NOT jsonb_path_exists(concepts, 'strict $[*] ? (@.type() != "string")')),
    segment_order INTEGER NOT NULL
        CONSTRAINT content_segments_segment_order_range CHECK (segment_order >= 0),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT content_segments_job_id_segment_order_key UNIQUE (job_id, segment_order)
);

CREATE INDEX content_segments_job_id_start_time_idx ON content_segments (job_id, start_time);
CREATE INDEX content_segments_job_id_importance_score_idx ON content_segments (job_id, importance_score);

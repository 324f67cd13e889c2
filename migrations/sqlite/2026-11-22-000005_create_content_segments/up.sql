-- What the recording is about, topic by topic.
-- A CHECK may not look into an array here; the triggers below do it.
CREATE TABLE content_segments (
    id INTEGER NOT NULL PRIMARY KEY,
    segment_id TEXT NOT NULL CONSTRAINT content_segments_segment_id_key UNIQUE
        CONSTRAINT content_segments_segment_id_uuid
        CHECK (segment_id GLOB '????????-????-????-????-????????????' AND segment_id NOT GLOB '*[^-0-9a-f]*'),
    job_id TEXT NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    start_time REAL NOT NULL
        CONSTRAINT content_segments_start_time_range CHECK (start_time >= 0),
    end_time REAL NOT NULL
        CONSTRAINT content_segments_end_time_range CHECK (end_time >= start_time AND end_time < 9e999),
    duration REAL NOT NULL GENERATED ALWAYS AS (end_time - start_time) STORED,
    topic TEXT NOT NULL
        CONSTRAINT content_segments_topic_length CHECK (length(topic) BETWEEN 1 AND 200),
    description TEXT,
    importance_score REAL NOT NULL
        CONSTRAINT content_segments_importance_score_range CHECK (importance_score BETWEEN 0 AND 1),
    keywords TEXT NOT NULL DEFAULT '[]'
        CONSTRAINT content_segments_keywords_array
        CHECK (CASE WHEN json_valid(keywords) THEN json_type(keywords) = 'array' ELSE FALSE END),
    concepts TEXT NOT NULL DEFAULT '[]'
        CONSTRAINT content_segments_concepts_array
        CHECK (CASE WHEN json_valid(concepts) THEN json_type(concepts) = 'array' ELSE FALSE END),
    segment_order INTEGER NOT NULL
        CONSTRAINT content_segments_segment_order_range CHECK (segment_order BETWEEN 0 AND 2147483647),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
        CONSTRAINT content_segments_created_at_utc
        CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT content_segments_job_id_segment_order_key UNIQUE (job_id, segment_order)
) STRICT;

CREATE INDEX content_segments_job_id_start_time_idx ON content_segments (job_id, start_time);
CREATE INDEX content_segments_job_id_importance_score_idx ON content_segments (job_id, importance_score);

CREATE TRIGGER content_segments_strings_insert BEFORE INSERT ON content_segments
WHEN EXISTS (SELECT 1 FROM json_each(iif(json_valid(NEW.keywords), NEW.keywords, '[]')) WHERE type <> 'text')
    OR EXISTS (SELECT 1 FROM json_each(iif(json_valid(NEW.concepts), NEW.concepts, '[]')) WHERE type <> 'text')
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: content_segments_strings');
END;

CREATE TRIGGER content_segments_strings_update BEFORE UPDATE OF keywords, concepts ON content_segments
WHEN EXISTS (SELECT 1 FROM json_each(iif(json_valid(NEW.keywords), NEW.keywords, '[]')) WHERE type <> 'text')
    OR EXISTS (SELECT 1 FROM json_each(iif(json_valid(NEW.concepts), NEW.concepts, '[]')) WHERE type <> 'text')
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: content_segments_strings');
END;

-- What was said: one row per segment of a transcript.
CREATE TABLE transcripts (
    id INTEGER NOT NULL PRIMARY KEY,
    segment_id TEXT NOT NULL CONSTRAINT transcripts_segment_id_key UNIQUE
        CONSTRAINT transcripts_segment_id_uuid
        CHECK (segment_id GLOB '????????-????-????-????-????????????' AND segment_id NOT GLOB '*[^-0-9a-f]*'),
    job_id TEXT NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    start_time REAL NOT NULL
        CONSTRAINT transcripts_start_time_range CHECK (start_time >= 0),
    end_time REAL NOT NULL
        CONSTRAINT transcripts_end_time_range CHECK (end_time >= start_time AND end_time < 9e999),
    text TEXT NOT NULL
        CONSTRAINT transcripts_text_not_blank CHECK (trim(text, char(32, 9, 10, 11, 12, 13)) <> ''),
    confidence REAL
        CONSTRAINT transcripts_confidence_range CHECK (confidence BETWEEN 0 AND 1),
    speaker_id TEXT
        CONSTRAINT transcripts_speaker_id_length CHECK (length(speaker_id) <= 50),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
        CONSTRAINT transcripts_created_at_utc
        CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z')
) STRICT;

CREATE INDEX transcripts_job_id_start_time_idx ON transcripts (job_id, start_time);

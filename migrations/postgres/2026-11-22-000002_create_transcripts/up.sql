-- What was said: one row per segment of a transcript.
CREATE TABLE transcripts (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    segment_id UUID NOT NULL CONSTRAINT transcripts_segment_id_key UNIQUE,
    job_id UUID NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    start_time DOUBLE PRECISION NOT NULL
        CONSTRAINT transcripts_start_time_range CHECK (start_time >= 0),
    end_time DOUBLE PRECISION NOT NULL
        CONSTRAINT transcripts_end_time_range CHECK (end_time >= start_time AND end_time < 'Infinity'),
    text TEXT NOT NULL
        CONSTRAINT transcripts_text_not_blank CHECK (btrim(text, E' \t\n\v\f\r') <> ''),
    confidence DOUBLE PRECISION
        CONSTRAINT transcripts_confidence_range CHECK (confidence BETWEEN 0 AND 1),
    speaker_id TEXT
        CONSTRAINT transcripts_speaker_id_length CHECK (char_length(speaker_id) <= 50),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX transcripts_job_id_start_time_idx ON transcripts (job_id, start_time);

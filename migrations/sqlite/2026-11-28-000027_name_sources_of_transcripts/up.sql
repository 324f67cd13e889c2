-- Who made the stored transcript. A worker keeps one that it did not make itself.
ALTER TABLE jobs ADD COLUMN transcript_source TEXT
    CONSTRAINT jobs_transcript_source_known
    CHECK (transcript_source IN ('client', 'sidecar', 'track', 'command', 'service', 'recognizer'));

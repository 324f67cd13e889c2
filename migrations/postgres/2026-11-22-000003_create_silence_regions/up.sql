-- Where nothing is heard or seen. The length is computed by the database, so
-- that it can never disagree with the ends.
CREATE TABLE silence_regions (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    region_id UUID NOT NULL CONSTRAINT silence_regions_region_id_key UNIQUE,
    job_id UUID NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    start_time DOUBLE PRECISION NOT NULL
        CONSTRAINT silence_regions_start_time_range CHECK (start_time >= 0),
    end_time DOUBLE PRECISION NOT NULL
        CONSTRAINT silence_regions_end_time_range CHECK (end_time >= start_time AND end_time < 'Infinity'),
    duration DOUBLE PRECISION NOT NULL GENERATED ALWAYS AS (end_time - start_time) STORED,
    silence_type TEXT NOT NULL
        CONSTRAINT silence_regions_silence_type_known
        CHECK (silence_type IN ('audio_silence', 'blank_screen', 'both')),
    amplitude_threshold DOUBLE PRECISION
        CONSTRAINT silence_regions_amplitude_threshold_finite
        CHECK (amplitude_threshold > '-Infinity' AND amplitude_threshold < 'Infinity'),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX silence_regions_job_id_start_time_idx ON silence_regions (job_id, start_time);

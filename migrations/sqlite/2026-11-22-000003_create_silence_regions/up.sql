-- Where nothing is heard or seen. The length is computed by the database, so
-- that it can never disagree with the ends.
CREATE TABLE silence_regions (
    id INTEGER NOT NULL PRIMARY KEY,
    region_id TEXT NOT NULL CONSTRAINT silence_regions_region_id_key UNIQUE
        CONSTRAINT silence_regions_region_id_uuid
        CHECK (region_id GLOB '????????-????-????-????-????????????' AND region_id NOT GLOB '*[^-0-9a-f]*'),
    job_id TEXT NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    start_time REAL NOT NULL
        CONSTRAINT silence_regions_start_time_range CHECK (start_time >= 0),
    end_time REAL NOT NULL
        CONSTRAINT silence_regions_end_time_range CHECK (end_time >= start_time AND end_time < 9e999),
    duration REAL NOT NULL GENERATED ALWAYS AS (end_time - start_time) STORED,
    silence_type TEXT NOT NULL
        CONSTRAINT silence_regions_silence_type_known
        CHECK (silence_type IN ('audio_silence', 'blank_screen', 'both')),
    amplitude_threshold REAL
        CONSTRAINT silence_regions_amplitude_threshold_finite
        CHECK (amplitude_threshold > -9e999 AND amplitude_threshold < 9e999),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
        CONSTRAINT silence_regions_created_at_utc
        CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z')
) STRICT;

CREATE INDEX silence_regions_job_id_start_time_idx ON silence_regions (job_id, start_time);

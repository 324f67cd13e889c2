-- What the picture consists of: at most one row per job.
CREATE TABLE layout_analysis (
    id INTEGER NOT NULL PRIMARY KEY,
    layout_id TEXT NOT NULL CONSTRAINT layout_analysis_layout_id_key UNIQUE
        CONSTRAINT layout_analysis_layout_id_uuid
        CHECK (layout_id GLOB '????????-????-????-????-????????????' AND layout_id NOT GLOB '*[^-0-9a-f]*'),
    job_id TEXT NOT NULL CONSTRAINT layout_analysis_job_id_key UNIQUE REFERENCES jobs (job_id) ON DELETE CASCADE,
    layout_type TEXT NOT NULL
        CONSTRAINT layout_analysis_layout_type_known
        CHECK (layout_type IN ('side_by_side', 'picture_in_picture', 'screen_only', 'camera_only', 'unknown')),
    screen_region TEXT
        CONSTRAINT layout_analysis_screen_region_rectangle
        CHECK (screen_region IS NULL
               OR CASE WHEN json_valid(screen_region) THEN
                    json_remove(screen_region, '$.x', '$.y', '$.width', '$.height') = '{}'
                    AND json_type(screen_region, '$.x') IS 'integer' AND json_extract(screen_region, '$.x') BETWEEN 0 AND 2147483647
                    AND json_type(screen_region, '$.y') IS 'integer' AND json_extract(screen_region, '$.y') BETWEEN 0 AND 2147483647
                    AND json_type(screen_region, '$.width') IS 'integer' AND json_extract(screen_region, '$.width') BETWEEN 0 AND 2147483647
                    AND json_type(screen_region, '$.height') IS 'integer' AND json_extract(screen_region, '$.height') BETWEEN 0 AND 2147483647
                  ELSE FALSE END),
    camera_region TEXT
        CONSTRAINT layout_analysis_camera_region_rectangle
        CHECK (camera_region IS NULL
               OR CASE WHEN json_valid(camera_region) THEN
                    json_remove(camera_region, '$.x', '$.y', '$.width', '$.height') = '{}'
                    AND json_type(camera_region, '$.x') IS 'integer' AND json_extract(camera_region, '$.x') BETWEEN 0 AND 2147483647
                    AND json_type(camera_region, '$.y') IS 'integer' AND json_extract(camera_region, '$.y') BETWEEN 0 AND 2147483647
                    AND json_type(camera_region, '$.width') IS 'integer' AND json_extract(camera_region, '$.width') BETWEEN 0 AND 2147483647
                    AND json_type(camera_region, '$.height') IS 'integer' AND json_extract(camera_region, '$.height') BETWEEN 0 AND 2147483647
                  ELSE FALSE END),
    split_ratio REAL
        CONSTRAINT layout_analysis_split_ratio_range CHECK (split_ratio BETWEEN 0 AND 1),
    confidence_score REAL NOT NULL
        CONSTRAINT layout_analysis_confidence_score_range CHECK (confidence_score BETWEEN 0 AND 1),
    sample_frame_time REAL
        CONSTRAINT layout_analysis_sample_frame_time_range CHECK (sample_frame_time >= 0 AND sample_frame_time < 9e999),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
        CONSTRAINT layout_analysis_created_at_utc
        CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z')
) STRICT;

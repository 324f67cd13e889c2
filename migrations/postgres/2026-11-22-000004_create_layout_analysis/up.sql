-- What the picture consists of: at most one row per job. The JSON paths are
-- strict because the lax ones look into nested arrays.
CREATE TABLE layout_analysis (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    layout_id UUID NOT NULL CONSTRAINT layout_analysis_layout_id_key UNIQUE,
    job_id UUID NOT NULL CONSTRAINT layout_analysis_job_id_key UNIQUE REFERENCES jobs (job_id) ON DELETE CASCADE,
    layout_type TEXT NOT NULL
        CONSTRAINT layout_analysis_layout_type_known
        CHECK (layout_type IN ('side_by_side', 'picture_in_picture', 'screen_only', 'camera_only', 'unknown')),
    screen_region JSONB
        CONSTRAINT layout_analysis_screen_region_rectangle
        CHECK (screen_region IS NULL
               OR (jsonb_typeof(screen_region) = 'object'
                   AND screen_region ?& ARRAY['x', 'y', 'width', 'height']
                   AND screen_region - ARRAY['x', 'y', 'width', 'height'] = '{}'
                   AND NOT jsonb_path_exists(screen_region, 'strict $.* ? (@.type() != "number" || @ < 0 || @ > 2147483647 || @ != @.floor())'))),
    camera_region JSONB
        CONSTRAINT layout_analysis_camera_region_rectangle
        CHECK (camera_region IS NULL
               OR (jsonb_typeof(camera_region) = 'object'
                   AND camera_region ?& ARRAY['x', 'y', 'width', 'height']
                   AND camera_region - ARRAY['x', 'y', 'width', 'height'] = '{}'
                   AND NOT jsonb_path_exists(camera_region, 'strict $.* ? (@.type() != "number" || @ < 0 || @ > 2147483647 || @ != @.floor())'))),
    split_ratio DOUBLE PRECISION
        CONSTRAINT layout_analysis_split_ratio_range CHECK (split_ratio BETWEEN 0 AND 1),
    confidence_score DOUBLE PRECISION NOT NULL
        CONSTRAINT layout_analysis_confidence_score_range CHECK (confidence_score BETWEEN 0 AND 1),
    sample_frame_time DOUBLE PRECISION
        CONSTRAINT layout_analysis_sample_frame_time_range CHECK (sample_frame_time >= 0 AND sample_frame_time < 'Infinity'),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- The layouts of a recording over time: an inset that moves, a switch from the slides to the
-- camera. The other columns have the layout of most of the recording.
ALTER TABLE layout_analysis ADD COLUMN stretches JSONB NOT NULL DEFAULT '[]'
    CONSTRAINT layout_analysis_stretches_array
    CHECK (jsonb_typeof(stretches) = 'array' AND jsonb_array_length(stretches) <= 1000)
    CONSTRAINT layout_analysis_stretches_objects
    CHECK (NOT jsonb_path_exists(stretches, '$[*] ?
        (!(@.type() == "object")
         || !(@.start_time.type() == "number") || !(@.start_time >= 0)
         || !(@.end_time.type() == "number") || !(@.end_time >= @.start_time)
         || !(@.layout_type == "side_by_side" || @.layout_type == "picture_in_picture"
              || @.layout_type == "screen_only" || @.layout_type == "camera_only"
              || @.layout_type == "unknown")
         || !(@.confidence_score.type() == "number")
         || !(@.confidence_score >= 0 && @.confidence_score <= 1))'));

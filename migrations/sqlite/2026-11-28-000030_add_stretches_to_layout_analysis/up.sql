-- The layouts of a recording over time: an inset that moves, a switch from the slides to the
-- camera. The other columns have the layout of most of the recording.
ALTER TABLE layout_analysis ADD COLUMN stretches TEXT NOT NULL DEFAULT '[]'
    CONSTRAINT layout_analysis_stretches_array
    CHECK (CASE WHEN json_valid(stretches) THEN json_type(stretches) = 'array' AND json_array_length(stretches) <= 1000
           ELSE FALSE END);

CREATE TRIGGER layout_analysis_stretches_insert BEFORE INSERT ON layout_analysis WHEN NEW.stretches <> '[]'
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: layout_analysis_stretches_objects')
    WHERE EXISTS (SELECT 1 FROM json_each(iif(json_valid(NEW.stretches), NEW.stretches, '[]')) AS stretch
                  WHERE stretch.type <> 'object'
                     OR coalesce(json_type(stretch.value, '$.start_time'), 'null') NOT IN ('integer', 'real')
                     OR (stretch.value ->> '$.start_time') < 0
                     OR coalesce(json_type(stretch.value, '$.end_time'), 'null') NOT IN ('integer', 'real')
                     OR (stretch.value ->> '$.end_time') < (stretch.value ->> '$.start_time')
                     OR coalesce(json_type(stretch.value, '$.layout_type'), 'null') <> 'text'
                     OR (stretch.value ->> '$.layout_type')
                        NOT IN ('side_by_side', 'picture_in_picture', 'screen_only', 'camera_only', 'unknown')
                     OR coalesce(json_type(stretch.value, '$.confidence_score'), 'null') NOT IN ('integer', 'real')
                     OR (stretch.value ->> '$.confidence_score') NOT BETWEEN 0 AND 1);
END;

CREATE TRIGGER layout_analysis_stretches_update BEFORE UPDATE OF stretches ON layout_analysis WHEN NEW.stretches <> '[]'
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: layout_analysis_stretches_objects')
    WHERE EXISTS (SELECT 1 FROM json_each(iif(json_valid(NEW.stretches), NEW.stretches, '[]')) AS stretch
                  WHERE stretch.type <> 'object'
                     OR coalesce(json_type(stretch.value, '$.start_time'), 'null') NOT IN ('integer', 'real')
                     OR (stretch.value ->> '$.start_time') < 0
                     OR coalesce(json_type(stretch.value, '$.end_time'), 'null') NOT IN ('integer', 'real')
                     OR (stretch.value ->> '$.end_time') < (stretch.value ->> '$.start_time')
                     OR coalesce(json_type(stretch.value, '$.layout_type'), 'null') <> 'text'
                     OR (stretch.value ->> '$.layout_type')
                        NOT IN ('side_by_side', 'picture_in_picture', 'screen_only', 'camera_only', 'unknown')
                     OR coalesce(json_type(stretch.value, '$.confidence_score'), 'null') NOT IN ('integer', 'real')
                     OR (stretch.value ->> '$.confidence_score') NOT BETWEEN 0 AND 1);
END;

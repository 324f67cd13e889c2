DROP TRIGGER transcripts_rules_update;
DROP TRIGGER transcripts_rules_insert;

CREATE TRIGGER transcripts_rules_insert BEFORE INSERT ON transcripts
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: transcripts_text_not_blank')
    WHERE trim(NEW.text, char(9, 10, 11, 12, 13, 32, 133, 160, 5760, 8192, 8193, 8194, 8195, 8196, 8197, 
                           8198, 8199, 8200, 8201, 8202, 8232, 8233, 8239, 8287, 12288)) = '';
    SELECT RAISE(ABORT, 'CHECK constraint failed: transcripts_text_no_nul')
    WHERE instr(NEW.text, char(0)) > 0
      OR instr(NEW.speaker_id, char(0)) > 0;
END;

CREATE TRIGGER transcripts_rules_update BEFORE UPDATE OF text, speaker_id ON transcripts
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: transcripts_text_not_blank')
    WHERE trim(NEW.text, char(9, 10, 11, 12, 13, 32, 133, 160, 5760, 8192, 8193, 8194, 8195, 8196, 8197, 
                           8198, 8199, 8200, 8201, 8202, 8232, 8233, 8239, 8287, 12288)) = '';
    SELECT RAISE(ABORT, 'CHECK constraint failed: transcripts_text_no_nul')
    WHERE instr(NEW.text, char(0)) > 0
      OR instr(NEW.speaker_id, char(0)) > 0;
END;

-- Older writers: allowed
--
-- The cells of the columns name, business_name and phone as the file has them, a JSON
-- array, where they differ from what the row holds. Null where they do not.
alter table upload_row add column given json;

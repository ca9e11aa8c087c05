-- Older writers: allowed
--
-- What a report shows of an upload: the sheets of a workbook and which one was read
-- (null for other files), and the accepted numbers by kind.
alter table upload add column sheets json;
alter table upload add column kinds json not null default '[]';

-- Older writers: refused
--
-- Skipped rows of an upload whose text is not kept: a JSON object of counts by reason.
alter table upload add column rejects_not_kept json not null default '{}';

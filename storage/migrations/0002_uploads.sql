-- Contact files between their upload and their campaign. Rows are written in short
-- transactions while the file arrives; only what is `READY` is an upload, the rest is
-- swept. No foreign keys: a million rows would each look up the one upload.

create table upload (
    id uuid primary key,
    state text not null check (state in ('RECEIVING', 'READY')),
    filename text not null,
    columns text[] not null default '{}',
    default_region text not null,
    accepted integer not null default 0,
    skipped_count integer not null default 0,
    created_by text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null
);

create index upload_expires_at on upload (expires_at);

create table upload_row (
    upload_id uuid not null,
    ordinal integer not null,
    "row" integer not null,
    name text not null,
    business_name text not null,
    phone text not null,
    variables json not null,
    primary key (upload_id, ordinal)
);

create table upload_reject (
    upload_id uuid not null,
    "row" integer not null,
    reason text not null,
    message text not null,
    cells json not null,
    primary key (upload_id, "row")
);

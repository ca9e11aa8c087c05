-- Who may come in without a person at a browser. Of a token only its hash is kept.

create table api_token (
    id uuid primary key,
    email text not null,
    hash bytea not null unique,
    created_at timestamptz not null,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
);

create index api_token_email on api_token (email);

-- How people at browsers come in. Of links and sessions only hashes are kept.

create table sign_in_link (
    hash bytea primary key,
    email text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
);

create index sign_in_link_email on sign_in_link (email);

create table browser_session (
    hash bytea primary key,
    email text not null,
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    revoked_at timestamptz
);

create index browser_session_email on browser_session (email);

-- Whom an address belongs to at the identity provider, as of its first sign-in.
create table sign_in_identity (
    email text primary key,
    issuer text not null,
    subject text not null,
    first_seen_at timestamptz not null
);

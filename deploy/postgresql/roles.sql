-- The roles of CPro and their database. Once, as a superuser: psql -f deploy/postgresql/roles.sql; passwords afterwards,
-- with \password, where roles come by the network.

-- Owns the tables and migrates them (CPRO_MIGRATION_DATABASE_URL).
CREATE ROLE cpro_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
-- Serves (CPRO_DATABASE_URL): owns nothing; `db upgrade` grants it what it needs, table by table.
CREATE ROLE cpro LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
-- Reads every table, for figures and checks: give it to those alone who may read a backup. Row-level security shows it the
-- rows of schools once it says, as CPro does, for which it asks.
CREATE ROLE cpro_reader LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;

CREATE DATABASE cpro OWNER cpro_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE cpro FROM PUBLIC;
GRANT CONNECT ON DATABASE cpro TO cpro, cpro_reader;
ALTER DATABASE cpro SET timezone = 'UTC';

-- CPro sets how long a request waits for a lock; these stop what was forgotten. Imports send no statement this long.
ALTER ROLE cpro SET statement_timeout = '15min';
ALTER ROLE cpro SET idle_in_transaction_session_timeout = '15min';
ALTER ROLE cpro SET lock_timeout = '30s';
ALTER ROLE cpro_reader SET statement_timeout = '1min';
ALTER ROLE cpro_reader SET default_transaction_read_only = on;

\connect cpro
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO cpro_owner;
GRANT USAGE ON SCHEMA public TO cpro, cpro_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE cpro_owner IN SCHEMA public GRANT SELECT ON TABLES TO cpro_reader;

-- The two roles and the database. The owner changes tables; the program's role owns nothing, and gets its rights on each
-- table from `grants db upgrade`: it may add to the journal and to the record, and change or delete nothing there.
-- psql -v owner_password=... -v program_password=... -f roles.sql, as the server's superuser.
\set ON_ERROR_STOP on
CREATE ROLE grants_owner LOGIN PASSWORD :'owner_password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
CREATE ROLE grants_program LOGIN PASSWORD :'program_password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
CREATE DATABASE grants OWNER grants_owner TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8';
REVOKE ALL ON DATABASE grants FROM PUBLIC;
GRANT CONNECT ON DATABASE grants TO grants_program;

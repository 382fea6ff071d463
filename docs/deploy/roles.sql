-- The two roles and the database. The owner changes tables; the program's role owns nothing, and gets its rights on each
-- table from `grants db upgrade`: it may add to the journal and to the record, and change or delete nothing there.
-- OWNER_PASSWORD=... PROGRAM_PASSWORD=... psql -f roles.sql, as the server's superuser: others can read a command line, and
-- not the environment.
\set ON_ERROR_STOP on
\getenv owner_password OWNER_PASSWORD
\getenv program_password PROGRAM_PASSWORD
CREATE ROLE grants_owner LOGIN PASSWORD :'owner_password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
CREATE ROLE grants_program LOGIN PASSWORD :'program_password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
CREATE DATABASE grants OWNER grants_owner TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8';
REVOKE ALL ON DATABASE grants FROM PUBLIC;
GRANT CONNECT ON DATABASE grants TO grants_program;

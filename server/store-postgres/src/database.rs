//! Where the database is. The password never enters a text.

use sqlx::postgres::PgConnectOptions;
use std::fmt;
use std::str::FromStr as _;
use synaq_store::Error;

/// Address of a database: `postgres://user:password@host:5432/name?sslmode=verify-full`. Shows itself without the
/// password.
#[derive(Clone)]
pub struct Database(PgConnectOptions);

impl Database {
    /// Reads an address; parameters are those of libpq (`sslmode`, `sslrootcert`, `host` for a socket's folder).
    ///
    /// # Errors
    /// [`Error::Open`] when it is none, or names no database.
    pub fn parse(url: &str) -> Result<Self, Error> {
        // sqlx would take any scheme.
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(Error::Open("a PostgreSQL address begins with postgres://".to_owned()));
        }
        let options = PgConnectOptions::from_str(url).map_err(|_| {
            Error::Open("this is no PostgreSQL address; write postgres://user@host:5432/name".to_owned())
        })?;
        if options.get_database().is_none_or(str::is_empty) {
            return Err(Error::Open(
                "the PostgreSQL address names no database: postgres://user@host:5432/name".to_owned(),
            ));
        }
        Ok(Self(options))
    }

    /// The same with this password.
    #[must_use]
    pub fn with_password(self, password: &str) -> Self {
        Self(self.0.password(password))
    }

    pub(crate) const fn options(&self) -> &PgConnectOptions {
        &self.0
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.get_database().unwrap_or_default();
        match self.0.get_socket() {
            Some(folder) => write!(f, "PostgreSQL database {name} by the socket in {}", folder.display()),
            None => write!(f, "PostgreSQL database {name} at {}:{}", self.0.get_host(), self.0.get_port()),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_itself_without_its_password() {
        let database =
            Database::parse("postgres://synaq:s3cret@db.example.kz:6432/exams?sslmode=require").unwrap();
        let with = database.clone().with_password("an0ther");
        for text in [format!("{database} {database:?}"), format!("{with} {with:?}")] {
            assert!(text.contains("database exams at db.example.kz:6432"), "{text}");
            assert!(!text.contains("s3cret") && !text.contains("an0ther"), "{text}");
        }
        let socket = Database::parse("postgres://synaq@%2Frun%2Fpostgresql/exams").unwrap();
        assert!(socket.to_string().contains("by the socket in /run/postgresql"), "{socket}");
    }

    #[test]
    fn what_is_no_address_of_a_database_is_refused_without_repeating_it() {
        for wrong in [
            "mysql://root:s3cret@db/exams",
            "postgres://u:s3cret@db:x/exams",
            "postgres://u:s3cret@db",
            "s3cret",
        ] {
            let refusal = Database::parse(wrong).unwrap_err().to_string();
            assert!(refusal.contains("postgres://") && !refusal.contains("s3cret"), "{wrong}: {refusal}");
        }
    }
}

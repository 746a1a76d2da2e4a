//! `[clock]`: whom the server's clock is compared with.

use serde::Deserialize;

/// NTP, unless the name says another port.
const PORT: &str = ":123";
/// More say no more.
const SERVERS_MAX: usize = 4;

/// Time servers. They are asked, not obeyed: the machine keeps its clock by itself (chrony).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Clock {
    /// `time.example.kz`, or with a port
    pub(crate) servers: Vec<String>,
}

impl Clock {
    /// Each with its port.
    pub(crate) fn servers(&self) -> Vec<String> {
        let with_port = |name: &String| match name.rsplit_once(':') {
            Some((_, port)) if port.parse::<u16>().is_ok() => name.clone(),
            _ => format!("{name}{PORT}"),
        };
        self.servers.iter().map(with_port).collect()
    }

    /// What speaks against it.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        if self.servers.len() > SERVERS_MAX {
            complaints.push(format!("[clock] servers: name {SERVERS_MAX} at most"));
        }
        let odd =
            |name: &&String| name.is_empty() || name.contains(char::is_whitespace) || name.contains('/');
        complaints.extend(self.servers.iter().filter(odd).map(|name| {
            format!("[clock] servers: {name:?} is no name of a server; write it as time.example.kz")
        }));
        complaints
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_have_the_usual_port_and_addresses_of_pages_are_named() {
        let read = |text| toml::from_str::<Clock>(text).unwrap();
        let clock = read("servers = [\"time.example.kz\", \"10.0.0.1:1123\"]");
        assert_eq!(clock.servers(), ["time.example.kz:123", "10.0.0.1:1123"]);
        assert_eq!(clock.complaints(), Vec::<String>::new());
        assert_eq!(read("servers = [\"ntp://time\", \"a b\", \"\"]").complaints().len(), 3);
        assert_eq!(read("servers = [\"a\", \"b\", \"c\", \"d\", \"e\"]").complaints().len(), 1);
    }
}

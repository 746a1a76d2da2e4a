//! A table of codes: what can be said of a file, with its stable name, its severity, and what the author does about it.

/// Makes the type of a table; one row per code.
macro_rules! codes {
    (
        $(#[$about:meta])* $name:ident:
        $($(#[$doc:meta])* $variant:ident, $code:literal, $severity:ident, $advice:literal;)*
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable code, `snake_case`; it never changes its meaning.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// Whether it refuses what it is said of.
            #[must_use]
            pub const fn severity(self) -> $crate::Severity {
                match self { $(Self::$variant => $crate::Severity::$severity,)* }
            }

            /// What to do, one English sentence.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
pub(crate) use codes;

//! Numbers of Kazakhstan's registers: IIN of a person, BIN of an organisation.

/// Digits of an IIN or BIN.
pub const DIGITS: usize = 12;

const FIRST_WEIGHTS: [u32; DIGITS - 1] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const SECOND_WEIGHTS: [u32; DIGITS - 1] = [3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2];

/// Whether `number` is twelve digits whose last one is the check digit of the others (F-30): their weighted sum modulo
/// 11; 10 asks for the second row of weights, and 10 again has no digit. Nothing else of a number is a hard rule: since
/// 2013 its date need not be the person's (F-31).
#[must_use]
pub fn check_digit_fits(number: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    let Some(digits) = number.bytes().map(digit).collect::<Option<Vec<u32>>>() else { return false };
    let Some((check, [])) = digits.get(DIGITS - 1..).and_then(<[u32]>::split_first) else { return false };
    let sum = |weights: [u32; DIGITS - 1]| {
        digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum::<u32>() % 11
    };
    let expected = match sum(FIRST_WEIGHTS) {
        10 => sum(SECOND_WEIGHTS),
        expected => expected,
    };
    *check == expected
}

/// The numbers in the test certificates of the national certification authority, whose check digits are wrong (F-33): a
/// person's and an organisation's. An installation for trials may take them, and no others.
pub const TEST_NUMBERS: [&str; 2] = ["123456789011", "123456789021"];

/// Which numbers are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Numbers {
    /// Those with a right check digit
    #[default]
    Real,
    /// The [`TEST_NUMBERS`] too
    WithTest,
}

impl Numbers {
    /// Whether an IIN or BIN is taken.
    #[must_use]
    pub fn takes(self, number: &str) -> bool {
        check_digit_fits(number) || (self == Self::WithTest && TEST_NUMBERS.contains(&number))
    }
}

#[cfg(test)]
mod tests {
    use super::{Numbers, TEST_NUMBERS, check_digit_fits};

    #[test]
    fn f33_numbers_of_test_certificates_are_taken_where_that_is_said_and_no_other_wrong_one() {
        for number in TEST_NUMBERS {
            assert!(!check_digit_fits(number), "{number} would need no exception");
            assert!(!Numbers::Real.takes(number), "{number}");
            assert!(Numbers::WithTest.takes(number), "{number}");
        }
        for wrong in ["123456789012", "900101300812", "", "12345678901", "１２３４５６７８９０１１"]
        {
            assert!(!Numbers::WithTest.takes(wrong), "{wrong}");
        }
        for numbers in [Numbers::Real, Numbers::WithTest] {
            assert!(numbers.takes("123456789013") && numbers.takes("123456789025"));
        }
    }

    #[test]
    fn f30_check_digits_follow_both_rows_of_weights() {
        for fits in ["900101300811", "900101300823", "061211600012", "123456789013", "123456789025"] {
            assert!(check_digit_fits(fits), "{fits}");
        }
        for (last, number) in (0..10).map(|last| (last, format!("90010130080{last}"))) {
            assert!(!check_digit_fits(&number), "both rows give 10, so {last} does not fit");
        }
    }

    #[test]
    fn f30_anything_but_twelve_digits_does_not_fit() {
        for text in ["", "90010130081", "9001013008110", "90010130081x", "９00101300811", "123456789011"] {
            assert!(!check_digit_fits(text), "{text}");
        }
    }
}

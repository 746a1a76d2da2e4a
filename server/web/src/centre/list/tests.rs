use super::*;
use crate::tests::START;

fn codes(text: &[u8]) -> Vec<(String, String)> {
    let problem = read(text, START, 60, Numbers::Real).unwrap_err();
    assert_eq!(problem.code, Code::CsvInvalid);
    problem.mistakes.into_iter().map(|mistake| (mistake.place, mistake.code)).collect()
}

#[test]
fn lists_come_in_three_languages_three_delimiters_and_two_encodings() {
    let utf8 = "\u{feff}Аты-жөні;ЖСН;Қосымша минут\r\nӘлия Сәрсенова;123456789013;30\r\n";
    let tabs = "iin\tfull name\n123456789013\tAliya Sarsenova\n";
    let list = read(utf8.as_bytes(), START, 60, Numbers::Real).unwrap();
    assert_eq!((list.encoding, list.lines[0].extra_minutes), ("utf-8", 30));
    assert_eq!(list.lines[0].name, "Әлия Сәрсенова");
    assert_eq!(read(tabs.as_bytes(), START, 60, Numbers::Real).unwrap().lines[0].name, "Aliya Sarsenova");
    let (cp1251, _, lost) = WINDOWS_1251.encode("Ф.И.О.,ИИН\n\"Иванов, Пётр\",123456789013\n");
    assert!(!lost);
    let list = read(&cp1251, START, 60, Numbers::Real).unwrap();
    assert_eq!((list.encoding, list.lines[0].name.as_str()), ("windows-1251", "Иванов, Пётр"));
}

#[test]
fn a_pasted_list_without_names_of_columns_is_understood() {
    let list = read(
        "Иванов Пётр,123456789013\nAda Lovelace,PASSPORT:AB123456,60,HEADPHONES\n".as_bytes(),
        START,
        60,
        Numbers::Real,
    );
    let lines = list.unwrap().lines;
    assert_eq!(lines[0].identity, "123456789013");
    assert_eq!(
        (lines[1].extra_minutes, lines[1].switched_off.as_slice()),
        (60, &["HEADPHONES".to_owned()][..])
    );
}

#[test]
fn every_line_with_a_mistake_is_named() {
    let list = "name,iin,extra minutes,off\n\
                A B,123456789013,0,\n\
                C D,123456789013,0,\n\
                E F,12345678901,0,\n\
                =cmd(),123456789025,0,\n\
                G H,PASSPORT:X1234,9999,NO_SUCH\n";
    let expected = [
        ("line 3", "iin_repeated"),
        ("line 4", "iin_length"),
        ("line 5", "name_characters"),
        ("line 6", "extra_minutes"),
        ("line 6", "code_unknown"),
    ];
    let expected: Vec<_> = expected.map(|(place, code)| (place.to_owned(), code.to_owned())).into();
    assert_eq!(codes(list.as_bytes()), expected);
}

#[test]
fn what_is_no_list_is_refused_as_such() {
    assert_eq!(codes(b"")[0].1, "list_empty");
    assert_eq!(codes(b"a,b\nc,d\n")[0].1, "columns_unknown");
    assert_eq!(codes(b"name,iin\n")[0].1, "list_empty");
    assert!(codes(b"\xff\xfe\x00\xd8").is_empty());
    assert!(codes(b"name\0iin").is_empty());
    assert!(read(&[0x80; 64], START, 60, Numbers::Real).is_err());
}

#[test]
fn spreadsheets_that_save_utf_16_are_read() {
    let text = "\u{feff}ФИО\tИИН\nСәрсенова Әлия\t123456789013\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let plain = "name;iin\nAda Lovelace;123456789013\n";
    let unmarked: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, name) in [(little, "Сәрсенова Әлия"), (big, "Сәрсенова Әлия"), (unmarked, "Ada Lovelace")]
    {
        let list = read(&bytes, START, 60, Numbers::Real).unwrap();
        assert_eq!((list.encoding, list.lines[0].name.as_str()), ("utf-16", name));
    }
}

#[test]
fn what_an_accommodation_grants_comes_in_columns() {
    let list = "ФИО;ИИН;эл. почта;доп. процент;перерывы;слуховой аппарат;примечание\n\
                Иванов Пётр;123456789013;p@example.kz;25 %;да;иә;Сурдопереводчик в кадре\n\
                Ada Lovelace;PASSPORT:AB123456;;;нет;;\n";
    let lines = read(list.as_bytes(), START, 90, Numbers::Real).unwrap().lines;
    assert_eq!((lines[0].extra_minutes, lines[0].extra_pct), (23, Some(25)), "rounded up");
    assert_eq!(lines[0].email.as_deref(), Some("p@example.kz"));
    assert_eq!(lines[0].switched_off, ["HEADPHONES"]);
    let note = Some("Сурдопереводчик в кадре".to_owned());
    assert_eq!(lines[0].care, Care { breaks: true, hearing_aid: true, note });
    assert_eq!((lines[1].extra_minutes, lines[1].extra_pct, &lines[1].care), (0, None, &Care::default()));
    let wrong =
        "name,iin,email,extra minutes,extra percent,breaks\nA B,123456789013,no address,10,20,maybe\n";
    let wrong: Vec<_> = codes(wrong.as_bytes()).into_iter().map(|(_, code)| code).collect();
    assert_eq!(wrong, ["email", "extra_twice", "yes_or_no"]);
}

#[test]
fn names_lose_what_nobody_sees_and_are_refused_in_other_alphabets() {
    let of =
        |name: &str| read(format!("name;iin\n{name};123456789013\n").as_bytes(), START, 60, Numbers::Real);
    let list = of("\u{202b}Сәрсенова\u{a0}\u{200b} Әлия\u{202c}").unwrap();
    assert_eq!(list.lines[0].name, "Сәрсенова Әлия");
    assert!(list.remarks.iter().all(|remark| remark.code != "name_mixed"));
    for name in ["O’Brien-Müller Séan", "Оглы Ә. (Иванов)", "Cafe\u{301} Ли"] {
        assert!(of(name).is_ok(), "{name}");
    }
    let code = |name: &str| of(name).unwrap_err().mistakes[0].code.clone();
    assert_eq!(code("محمد علي"), "name_alphabet");
    assert_eq!(code("李 明"), "name_alphabet");
    assert_eq!(code("Иванов 😀"), "name_characters");
    assert_eq!(code("Иванов\u{7}"), "name_characters");
    assert_eq!(code("<b>Иванов</b>"), "name_characters");
    assert_eq!(code("@SUM(1)"), "name_characters");
    // The Latin `a` looks like the Cyrillic one.
    assert_eq!(of("Ивaнов Пётр").unwrap().remarks[0].code, "name_mixed");
}

#[test]
fn ten_thousand_lines_with_a_mistake_in_every_hundredth_are_reported_line_by_line() {
    let mut text = String::from("name;iin\n");
    let (mut wrong, mut number) = (0, 0_u64);
    for line in 0..CSV_ROWS {
        number += 1;
        let iin = (0..10)
            .map(|digit| format!("{:011}{digit}", 90_000_000_000 + number))
            .find(|iin| synaq_core::identity::check_digit_fits(iin));
        match iin {
            Some(_) if line % 100 == 50 => {
                wrong += 1;
                text.push_str("Иванов Пётр;12345678901\n");
            }
            Some(iin) => text.push_str(&format!("Иванов Пётр;{iin}\n")),
            None => text.push_str(&format!("Иванов Пётр;PASSPORT:AB{line}\n")),
        }
    }
    let (bytes, _, _) = WINDOWS_1251.encode(&text);
    let started = std::time::Instant::now();
    let problem = read(&bytes, START, 60, Numbers::Real).unwrap_err();
    assert!(problem.mistakes.len() == wrong && wrong > 80, "{wrong}");
    assert_eq!(problem.mistakes[0].place, "line 52");
    assert!(started.elapsed().as_secs() < 30);
}

//! What letters say, Kazakh first and Russian below.

use super::Content;
use synaq_core::time::{At, Span};
use synaq_store::{CentreRow, StaffRow};
use synaq_wire::candidate::{CentreContacts, Text};

/// Sets the two languages of one letter apart.
const BETWEEN: &str = "\n\n----------------------------------------\n\n";

/// The law's clock (+05:00).
const OFFSET: Span = Span::mins(5 * 60);

/// As people write it there: `20.11.2026, 14:30`.
pub(crate) fn moment(at: At) -> String {
    let text = (at + OFFSET).to_string();
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    format!("{}.{}.{}, {}", part(8..10), part(5..7), part(0..4), part(11..16))
}

/// Who writes, and whom to ask: what the centre's profile says.
pub(crate) struct Sender {
    pub(crate) centre: CentreRow,
    /// None before the centre has said anything of itself
    pub(crate) contacts: Option<CentreContacts>,
}

impl Sender {
    /// What stands below a letter, Kazakh and Russian.
    fn signed(&self) -> (String, String) {
        let lines = |name: &str, bin: &str, address: fn(&Text) -> &String, ask: &str| {
            let mut lines = vec![name.to_owned()];
            if let Some(contacts) = &self.contacts {
                let means = [contacts.phone.as_str(), contacts.mail.as_str()];
                let means: Vec<_> = means.into_iter().filter(|text| !text.is_empty()).collect();
                let address = address(&contacts.address);
                lines.push(format!("{bin} {}", contacts.bin));
                if !address.is_empty() {
                    lines.push(address.clone());
                }
                if !means.is_empty() {
                    lines.push(format!("{ask}: {}", means.join(", ")));
                }
            }
            lines.join("\n")
        };
        (
            lines(&self.centre.name_kk, "БСН", |text| &text.kk, "Сұрақтар бойынша"),
            lines(&self.centre.name_ru, "БИН", |text| &text.ru, "По вопросам"),
        )
    }
}

/// Somebody was added: their login and a link by which they set a password.
pub(crate) fn invitation(staff: &StaffRow, from: &Sender, link: &str, until: At) -> Content {
    let (name, login, until) = (&staff.name, &staff.login, moment(until));
    let (from_kk, from_ru) = from.signed();
    let kk = format!(
        "Сәлеметсіз бе, {name}!\n\n\
         {} Сізді Synaq емтихан жүйесіне қызметкер ретінде шақырады.\n\n\
         Логиніңіз: {login}\n\
         Құпиясөз орнату үшін мына сілтемені ашыңыз:\n{link}\n\n\
         Сілтеме бір рет қана жарамды, мерзімі: {until} (Алматы уақыты, UTC+5). Оны ешкімге бермеңіз.\n\
         Бұл хат Сізге қате келсе, ештеңе істемеңіз.\n\n{from_kk}",
        from.centre.name_kk
    );
    let ru = format!(
        "Здравствуйте, {name}!\n\n\
         {} приглашает Вас в систему экзаменов Synaq как сотрудника.\n\n\
         Ваш логин: {login}\n\
         Чтобы установить пароль, откройте ссылку:\n{link}\n\n\
         Ссылка действует один раз, до {until} (время Алматы, UTC+5). Никому её не передавайте.\n\
         Если письмо пришло Вам по ошибке, ничего не делайте.\n\n{from_ru}",
        from.centre.name_ru
    );
    let subject = "Synaq: жүйеге шақыру / приглашение в систему".to_owned();
    Content { subject, text: format!("{kk}{BETWEEN}{ru}\n") }
}

/// A new password was asked for, by the person or by the head of the centre.
pub(crate) fn password(staff: &StaffRow, from: &Sender, link: &str, until: At) -> Content {
    let (name, login, until) = (&staff.name, &staff.login, moment(until));
    let (from_kk, from_ru) = from.signed();
    let kk = format!(
        "Сәлеметсіз бе, {name}!\n\n\
         Synaq жүйесінде {login} логині үшін жаңа құпиясөз сұралды. Оны мына сілтемеде орнатыңыз:\n{link}\n\n\
         Сілтеме бір рет қана жарамды, мерзімі: {until} (Алматы уақыты, UTC+5). \
         Жаңа құпиясөз орнатылғанша ескісі жарамды.\n\
         Мұны Сіз сұрамасаңыз, ештеңе істемеңіз.\n\n{from_kk}",
    );
    let ru = format!(
        "Здравствуйте, {name}!\n\n\
         Для логина {login} в системе Synaq запрошен новый пароль. Установите его по ссылке:\n{link}\n\n\
         Ссылка действует один раз, до {until} (время Алматы, UTC+5). \
         Пока новый пароль не установлен, действует старый.\n\
         Если Вы этого не запрашивали, ничего не делайте.\n\n{from_ru}",
    );
    let subject = "Synaq: жаңа құпиясөз / новый пароль".to_owned();
    Content { subject, text: format!("{kk}{BETWEEN}{ru}\n") }
}

/// What a letter with a personal link needs to say.
pub(crate) struct ExamLink<'a> {
    pub(crate) name: &'a str,
    pub(crate) title: &'a synaq_core::bank::Text,
    pub(crate) link: &'a str,
    pub(crate) opens_at: At,
    pub(crate) closes_at: At,
    pub(crate) from: &'a Sender,
}

/// The personal link of a candidate.
pub(crate) fn exam_link(exam: &ExamLink<'_>) -> Content {
    let ExamLink { name, title, link, .. } = exam;
    let (opens, closes) = (moment(exam.opens_at), moment(exam.closes_at));
    let (from_kk, from_ru) = exam.from.signed();
    let kk = format!(
        "Сәлеметсіз бе, {name}!\n\n\
         Емтиханға жеке сілтемеңіз ({}):\n{link}\n\n\
         Басталуы: {opens}, аяқталуы: {closes} (Алматы уақыты, UTC+5). Сілтемені ешкімге бермеңіз: ол – Сіздің кілтіңіз.\n\
         Осы сілтеме арқылы құрылғыны алдын ала тексеріп, сынақ сұрақтарына жауап беріп көруге болады.\n\
         Камера, микрофон және жеке куәлік дайын болсын.\n\n{from_kk}",
        title.kk
    );
    let ru = format!(
        "Здравствуйте, {name}!\n\n\
         Ваша личная ссылка на экзамен ({}):\n{link}\n\n\
         Начало: {opens}, окончание: {closes} (время Алматы, UTC+5). Никому не передавайте ссылку: это Ваш ключ.\n\
         По этой же ссылке можно заранее проверить устройство и ответить на пробные вопросы.\n\
         Приготовьте камеру, микрофон и удостоверение личности.\n\n{from_ru}",
        title.ru
    );
    let subject = format!("Synaq: емтихан / экзамен {opens}");
    Content { subject, text: format!("{kk}{BETWEEN}{ru}\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_signed_with_what_the_centre_says_of_itself() {
        let centre = CentreRow {
            id: synaq_core::ids::CentreId(uuid::Uuid::from_u128(1)),
            bin: "061211600012".to_owned(),
            name_kk: "Орталық".to_owned(),
            name_ru: "Центр".to_owned(),
        };
        let silent = Sender { centre: centre.clone(), contacts: None };
        assert_eq!(silent.signed(), ("Орталық".to_owned(), "Центр".to_owned()));
        let contacts = CentreContacts {
            bin: centre.bin.clone(),
            address: Text { kk: "Алматы, Абай 1".to_owned(), ru: String::new() },
            phone: "+7 727 000 00 00".to_owned(),
            ..CentreContacts::default()
        };
        let (kk, ru) = Sender { centre, contacts: Some(contacts) }.signed();
        assert_eq!(kk, "Орталық\nБСН 061211600012\nАлматы, Абай 1\nСұрақтар бойынша: +7 727 000 00 00");
        assert_eq!(ru, "Центр\nБИН 061211600012\nПо вопросам: +7 727 000 00 00");
    }

    #[test]
    fn moments_are_written_as_people_there_do() {
        assert_eq!(moment(At(1_800_000_000_000)), "15.01.2027, 13:00");
        assert_eq!(moment(At(1_800_000_000_000 + 11 * 3_600_000)), "16.01.2027, 00:00");
    }
}

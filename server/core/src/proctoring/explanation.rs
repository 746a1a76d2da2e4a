//! What a claim of a machine or of a browser says, and what it does not say, in the words a person reads (F-29: every
//! claim of a machine is explained). One place, so that the proctor, the commission and the record read the same.

/// One sentence in the languages of the interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Said {
    /// Kazakh
    pub kk: &'static str,
    /// Russian
    pub ru: &'static str,
    /// English
    pub en: &'static str,
}

/// Read beside an incident.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// What was seen or heard
    pub seen: Said,
    /// What that does not mean
    pub not_meant: Said,
}

/// By a detector's condition (`no_face`) or an incident code (`CAMERA_OFF`); none for what only people report.
#[must_use]
pub fn explanation(name: &str) -> Option<&'static Explanation> {
    TABLE.iter().find(|(known, _)| *known == name).map(|(_, explanation)| explanation)
}

macro_rules! table {
    ($($name:literal: seen $seen_kk:literal $seen_ru:literal $seen_en:literal
        not $not_kk:literal $not_ru:literal $not_en:literal;)+) => {
        const TABLE: &[(&str, Explanation)] = &[$((
            $name,
            Explanation {
                seen: Said { kk: $seen_kk, ru: $seen_ru, en: $seen_en },
                not_meant: Said { kk: $not_kk, ru: $not_ru, en: $not_en },
            },
        ),)+];
    };
}

table! {
    "camera_dark":
        seen "Суреттер қап-қараңғы дерлік: орташа жарықтығы шектен төмен."
            "Снимки почти чёрные: средняя яркость ниже порога."
            "The pictures are almost black: their mean brightness is below the threshold."
        not "Бұл камера әдейі жабылды дегенді білдірмейді: жарық сөнуі немесе бөлме қараңғы болуы мүмкін."
            "Это не значит, что камеру закрыли намеренно: мог погаснуть свет или в комнате темно."
            "This does not mean that the camera was covered on purpose: the light may have gone out, or the room is dark.";
    "camera_covered":
        seen "Объективтің алдын бірдеңе жауып тұр: сурет түгел дерлік біркелкі."
            "Объектив чем-то закрыт: снимок почти весь одинаковый."
            "Something lies before the lens: almost the whole picture is even."
        not "Бұл әдейі жасалды дегенді білдірмейді: бос қабырға, буланған объектив немесе ақаулы камера да осылай көрінеді."
            "Это не значит, что так сделали намеренно: так же выглядят пустая стена, запотевший объектив или неисправная камера."
            "This does not mean that it was done on purpose: a bare wall, a steamed-up lens or a faulty camera look the same.";
    "camera_frozen":
        seen "Қатарынан келген суреттердің бір-бірінен айырмашылығы жоқ."
            "Снимки, пришедшие подряд, не отличаются друг от друга."
            "Pictures that came one after another do not differ."
        not "Бұл сурет ауыстырылды дегенді білдірмейді: камера, бағдарлама немесе байланыс ақауынан да осылай болады."
            "Это не значит, что изображение подменили: так бывает и при сбое камеры, программы или связи."
            "This does not mean that the picture was replaced: a fault of the camera, a program or the line does the same.";
    "camera_changed":
        seen "Камера кенет басқа көріністі көрсетті."
            "Камера внезапно показала другую сцену."
            "The camera suddenly showed another scene."
        not "Бұл бұзушылық дегенді білдірмейді: камера қозғалып кетуі немесе жарық өзгеруі мүмкін."
            "Это не значит, что было нарушение: камеру могли задеть, мог измениться свет."
            "This does not mean that a rule was broken: the camera may have been pushed, or the light changed.";
    "clock_frozen":
        seen "Камераның суреттері келіп тұр, бірақ ағынның өз сағаты жүрмейді."
            "Кадры с камеры приходят, а собственные часы потока стоят."
            "Pictures come from the camera, and the stream's own clock stands still."
        not "Бұл жазба көрсетілді дегенді білдірмейді: камераның, драйвердің немесе браузердің ақауы да осылай көрінеді."
            "Это не значит, что показали запись: так же выглядит сбой камеры, драйвера или браузера."
            "This does not mean that a recording was shown: a fault of the camera, its driver or the browser looks the same.";
    "clock_rate":
        seen "Камера ағынының сағаты уақыттан тезірек немесе баяуырақ жүреді."
            "Часы потока с камеры идут быстрее или медленнее времени."
            "The clock of the camera's stream runs faster or slower than time."
        not "Бұл жазба көрсетілді дегенді білдірмейді: шамадан тыс жүктелген компьютер немесе ақаулы камера да осылай көрінеді."
            "Это не значит, что показали запись: так же выглядят перегруженный компьютер или неисправная камера."
            "This does not mean that a recording was shown: an overloaded computer or a faulty camera looks the same.";
    "clock_jump":
        seen "Суреттер үзіліссіз келіп тұрғанда камера ағынының сағаты секіріп кетті."
            "Часы потока с камеры скакнули, хотя кадры приходили без перерыва."
            "The clock of the camera's stream leapt while pictures came without a break."
        not "Бұл жазба қайта басталды дегенді білдірмейді: камера ауысқанда немесе драйвер қайта іске қосылғанда да осылай болады."
            "Это не значит, что запись началась заново: так бывает при смене камеры или перезапуске драйвера."
            "This does not mean that a recording began again: a change of camera or a restarted driver does the same.";
    "stream_replayed":
        seen "Камера ағынының бір бөлігі бұрын келген бөлікпен байтына дейін бірдей."
            "Отрезок потока с камеры байт в байт повторяет пришедший раньше."
            "A stretch of the camera's stream is byte for byte one that came before."
        not "Кімнің және неліктен қайталағанын машина айта алмайды: сынақ суретін көрсететін бағдарлама да осылай қайталайды. Екі бөлікті салыстырып қараңыз."
            "Кто и зачем повторил, машина сказать не может: так повторяет и программа с пробной картинкой. Сравните оба отрезка."
            "Who repeated it and why a machine cannot say: a program that shows a test picture repeats like this, too. Compare both stretches.";
    "no_face":
        seen "Суреттерде камераға қараған бет табылмады."
            "На снимках не найдено лица, обращённого к камере."
            "No face turned to the camera was found in the pictures."
        not "Бұл кандидат кетіп қалды немесе басқа жаққа қарады дегенді білдірмейді: маска, бетке қойылған қол немесе еңкейген бас та осылай көрінеді."
            "Это не значит, что кандидат ушёл или смотрел в сторону: так же выглядят маска, рука у лица или наклон головы."
            "This does not mean that the candidate left or looked away: a mask, a hand at the face or a bent head look the same.";
    "several_faces":
        seen "Суретте бірден көп бет табылды."
            "На снимке найдено больше одного лица."
            "More than one face was found in the picture."
        not "Бұл біреу көмектесті дегенді білдірмейді: портрет, экран, айнадағы бейне немесе өрнек те бет болып көрінуі мүмкін."
            "Это не значит, что кто-то помогал: лицом могут показаться портрет, экран, отражение или узор."
            "This does not mean that somebody helped: a portrait, a screen, a reflection or a pattern can pass for a face.";
    "face_off_centre":
        seen "Бет суреттің шетінде тұр."
            "Лицо у края снимка."
            "The face is at the edge of the picture."
        not "Бұл бұзушылық емес: камераны немесе орындықты сәл жылжыту жеткілікті."
            "Это не нарушение: достаточно немного подвинуть камеру или стул."
            "This is no violation: the camera or the chair has to be moved a little.";
    "sound_heard":
        seen "Бөлменің әдеттегі деңгейінен едәуір қатты дыбыс естілді."
            "Слышен звук заметно громче обычного уровня этой комнаты."
            "A sound well above the room’s own level was heard."
        not "Бұл біреу сөйледі немесе айтып берді дегенді білдірмейді: бағдарлама дауысты, теледидарды, есікті және көше шуын айыра алмайды, сөздерді танымайды."
            "Это не значит, что кто-то говорил или подсказывал: программа не отличает голос от телевизора, двери и шума с улицы и не распознаёт слов."
            "This does not mean that somebody spoke or prompted: the program cannot tell a voice from a television, a door or the street, and recognises no words.";
    "virtual_camera":
        seen "Браузер айтқан камера атауы сурет жасайтын бағдарламаның атауына ұқсайды."
            "Название камеры, которое сообщил браузер, похоже на название программы, создающей изображение."
            "The camera’s name, as the browser tells it, looks like that of a program that makes a picture."
        not "Бұл бейне ауыстырылды дегенді білдірмейді: мұндай бағдарламалар фонды бұлдырату үшін де қолданылады. Тек мәлімет үшін."
            "Это не значит, что изображение подменили: такими программами и просто размывают фон. Только для сведения."
            "This does not mean that the picture was replaced: such programs also blur a background. For information only.";
    "CAMERA_OFF":
        seen "Браузер камераның өшкенін хабарлады, экранда қайта қосу әрекеті сәтсіз болды."
            "Браузер сообщил, что камера выключена, и попытка включить её на экране не удалась."
            "The browser reported that the camera is off, and an attempt on the screen to turn it on again failed."
        not "Бұл камераны кандидат өшірді дегенді білдірмейді: кабель, драйвер немесе басқа бағдарлама себеп болуы мүмкін."
            "Это не значит, что её выключил кандидат: причиной могут быть кабель, драйвер или другая программа."
            "This does not mean that the candidate turned it off: a cable, a driver or another program may be the cause.";
    "MIC_OFF":
        seen "Браузер микрофонның өшкенін хабарлады, экранда қайта қосу әрекеті сәтсіз болды."
            "Браузер сообщил, что микрофон выключен, и попытка включить его на экране не удалась."
            "The browser reported that the microphone is off, and an attempt on the screen to turn it on again failed."
        not "Бұл микрофонды кандидат өшірді дегенді білдірмейді: кабель, драйвер немесе басқа бағдарлама себеп болуы мүмкін."
            "Это не значит, что его выключил кандидат: причиной могут быть кабель, драйвер или другая программа."
            "This does not mean that the candidate turned it off: a cable, a driver or another program may be the cause.";
    "SCREEN_SHARE_ENDED":
        seen "Браузер экран көрсетудің тоқтағанын хабарлады, қайта қосу әрекеті сәтсіз болды."
            "Браузер сообщил, что показ экрана прекращён, и попытка возобновить его не удалась."
            "The browser reported that the screen is no longer shared, and an attempt to share it again failed."
        not "Бұл кандидат экранын жасырды дегенді білдірмейді: жүйе немесе браузер де тоқтатуы мүмкін."
            "Это не значит, что кандидат скрывал экран: показ могла прекратить система или браузер."
            "This does not mean that the candidate hid the screen: the system or the browser may have ended it.";
    "WINDOW_BLUR":
        seen "Браузер емтихан бетінің көрінбей қалғанын хабарлады."
            "Браузер сообщил, что страница экзамена не была видна."
            "The browser reported that the exam page was hidden."
        not "Бұл кандидат басқа жерден жауап іздеді дегенді білдірмейді: оның орнына не көрінгені белгісіз."
            "Это не значит, что кандидат искал ответы: что было видно вместо страницы, неизвестно."
            "This does not mean that the candidate looked for answers: what was shown instead is not known.";
    "FULLSCREEN_EXIT":
        seen "Браузер толық экран режимінен шыққанын хабарлады."
            "Браузер сообщил о выходе из полноэкранного режима."
            "The browser reported that full screen was left."
        not "Бұл кандидат басқа жерден жауап іздеді дегенді білдірмейді: оның орнына не көрінгені белгісіз."
            "Это не значит, что кандидат искал ответы: что было видно вместо страницы, неизвестно."
            "This does not mean that the candidate looked for answers: what was shown instead is not known.";
    "LEFT_PLACE":
        seen "Проктор рұқсат еткен үзіліс бітті, ал кандидат оралғанын әлі белгілемеді."
            "Перерыв, который разрешил проктор, закончился, а кандидат ещё не отметил, что вернулся."
            "The break that the proctor granted is over, and the candidate has not yet said that they are back."
        not "Бұл бұзушылық дегенді білдірмейді: адам өзін нашар сезінуі немесе белгілеуді ұмытуы мүмкін."
            "Это не значит, что было нарушение: человеку могло стать плохо, или он забыл отметиться."
            "This does not mean that a rule was broken: somebody may be unwell, or have forgotten to say so.";
    "SECOND_CONNECTION":
        seen "Осы емтиханды басқа қойынды немесе құрылғы ашпақ болды."
            "Этот экзамен попытались открыть на другой вкладке или другом устройстве."
            "Another tab or device tried to open this exam."
        not "Бұл басқа адам қосылды дегенді білдірмейді: кандидат сілтемені екінші рет ашуы мүмкін."
            "Это не значит, что подключился другой человек: кандидат мог открыть ссылку второй раз."
            "This does not mean that another person connected: the candidate may have opened the link twice.";
}

#[cfg(test)]
mod tests {
    use super::{TABLE, explanation};
    use std::collections::BTreeSet;

    #[test]
    fn every_name_is_explained_once_in_three_different_languages() {
        let names: BTreeSet<&str> = TABLE.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), TABLE.len());
        for (name, explained) in TABLE {
            let sentences: BTreeSet<&str> = [explained.seen, explained.not_meant]
                .iter()
                .flat_map(|said| [said.kk, said.ru, said.en])
                .inspect(|sentence| assert!(sentence.ends_with('.'), "{name}: {sentence}"))
                .collect();
            assert_eq!(sentences.len(), 6, "{name}");
        }
        assert_eq!(explanation("OTHER"), None);
    }
}

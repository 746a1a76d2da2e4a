// Who is in the exam day: all of them made up.

export const CENTRE = {
  bin: '900101300811', login: 'aigerim', name: 'Тұрсынова Айгерім Болатқызы',
  kk: '«Алатау» кәсіптік біліктілікті тану орталығы', ru: 'Центр признания профессиональных квалификаций «Алатау»',
}

/** Nobody's words, long enough for everybody. */
export const PASSWORD = 'бес терезе, үш есік, бір көпір'

/** Whom the head invites, by the seat they take. */
export const STAFF = {
  author: { login: 'gulmira', name: 'Сәдуақасова Гүлмира Ержанқызы', mail: 'gulmira@example.kz', role: 'author', lang: 'ru' },
  proctor: { login: 'madina', name: 'Әбдіқадырова Мадина Асқарқызы', mail: 'madina@example.kz', role: 'proctor', lang: 'kk' },
  second: { login: 'andrey', name: 'Петренко Андрей Иванович', mail: 'andrey@example.kz', role: 'proctor', lang: 'ru' },
  commission: { login: 'saule', name: 'Ибраимова Сәуле Нұрланқызы', mail: 'saule@example.kz', role: 'commission', lang: 'ru' },
  auditor: { login: 'timur', name: 'Нұрғазин Тимур Маратұлы', mail: 'timur@example.kz', role: 'auditor', lang: 'kk' },
}

/** The one in the browser, then the twelve virtual ones. */
export const CANDIDATES = [
  ['Құдайбергенова Мөлдір Сұлтанбекқызы', '900101300823'],
  ['Жұмағұлов Ерасыл Қайратұлы', '061211600012'],
  ['Смирнова-Вознесенская Александра Константиновна', 'KZ:N2000001'],
  ['Оразбаев Нұрсұлтан Бекұлы', 'KZ:N2000002'],
  ['Ким Виолетта Сергеевна', 'KZ:N2000003'],
  ['Қасенова Гүлнұр Маратқызы', 'KZ:N2000004'],
  ['Беков Дінмұхаммед Әлиұлы', 'KZ:N2000005'],
  ['Юсупова Дилноза Рустамқызы', 'KZ:N2000006'],
  ['Шмидт Роман Викторович', 'KZ:N2000007'],
  ['Тілеубай Ақбота Серікқызы', 'KZ:N2000008'],
  ['Мұқанов Санжар Ерланұлы', 'KZ:N2000009'],
  ['O’Neill Sean', 'PASSPORT:AB2000010'],
  ['Ли Анастасия Геннадьевна', 'KZ:N2000011'],
].map(([name, document], index) => ({ name, document, email: `candidate-${index}@example.kz` }))

/** As a centre pastes it out of its own table; `wrong`: with a slip in one number. */
export function list({ wrong = false } = {}) {
  const lines = CANDIDATES.map(({ name, document, email }) => `${name};${document};${email}`)
  if (wrong) lines[0] = lines[0].replace('900101300823', '900101300824')
  return ['ФИО;ИИН;эл. почта', ...lines, ''].join('\n')
}

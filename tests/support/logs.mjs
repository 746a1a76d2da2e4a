// What no log may hold, whatever a test did: people, their numbers, links, passwords, SDP.

/** The demo's made-up people, and everybody whom the tests add to a list. */
const PEOPLE = /Ахметова|Жұмабаев|Смирнова|Оспанов|Ким Виктория|Қасымова|Сейітова|Петров|Тұрсынов|Ибраева/u
/** Twelve digits that begin with a date of birth: a number of Kazakhstan. Times in ms have thirteen. */
const NUMBER = /(?<![\w.-])\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{6}(?![\w.-])/u
const DOCUMENT = /KZ:N\d+/u
const SDP = /a=(?:ice-ufrag|ice-pwd|fingerprint):/u

/** What of that stands in a log, by its kind; `links` is demo.json. */
export function secretsIn(log, links) {
  const found = []
  for (const [kind, pattern] of Object.entries({ PEOPLE, NUMBER, DOCUMENT, SDP })) {
    if (pattern.test(log)) found.push(kind)
  }
  const passwords = [links.proctor, links.second_proctor, links.centre, links.commission].map(seat => seat.password)
  if (passwords.some(password => log.includes(password))) found.push('PASSWORD')
  if (links.candidate_links.some(link => log.includes(link.split('/').at(-1)))) found.push('LINK')
  return found
}

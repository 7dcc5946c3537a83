/** Synthetic notes with planted identifiers, drawn from a seed. Templates and names are not those of the rules' examples, and half of the names are in no list. */

export interface Planted { kind: string; text: string }
export interface PlantedNote { id: string; text: string; planted: Planted[]; eventDates: string[] }

/** mulberry32; a generator of its own, so that the notes do not change with the engine's. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6D2B79F5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const given = ['Thandiwe', 'Oluwaseun', 'Marguerite', 'Bartholomew', 'Saoirse', 'Priya', 'Helen', 'Walter', 'Ingrid', 'Kazimir', 'Rosalind', 'Tobias', 'Xiomara', 'Leonard', 'Aoife', 'George']
const family = ['Okonkwo-Bell', 'Vandersteen', 'Przybylski', 'Hathaway', 'Quispe', 'Lindholm', 'Featherstone', 'Abernathy', 'Nakagawa', 'Ramirez', "O'Sullivan", 'MacAllister', 'Thompson', 'Drozdov', 'Baker', 'Wells']
const streets = ['Juniper Lane', 'Old Mill Road', 'Kingfisher Avenue', 'West Harbour Drive', 'Larkspur Court', 'Chestnut Street']
const hospitals = ['Riverbend', 'St. Brigid', 'Mount Alder', 'Fernhill']
const findings = [
  'There is a 3.5 cm mass in the right upper lobe with Kerley B lines.', 'T12 compression fracture, grade 2/6 systolic murmur.', 'Visual acuity 20/40 in the left eye.', 'Swan-Ganz catheter tip in the main pulmonary artery.',
  'Known Hodgkin lymphoma stage IIB (T2N1M0).', 'Baker cyst behind the left knee.', 'Foley catheter in place, amoxicillin 500 mg three times daily.', 'BP 120/80, HR 88, SpO2 94%.', 'Cobb angle 15 degrees.',
]

/** `count` notes of four to seven planted identifiers each. */
export function plantNotes(seed: number, count: number): PlantedNote[] {
  const random = generator(seed)
  const int = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1))
  const pick = <T>(list: readonly T[]): T => list[int(0, list.length - 1)]!
  const digits = (n: number): string => Array.from({ length: n }, (_, i) => (i === 0 ? int(1, 9) : int(0, 9))).join('')
  const two = (n: number): string => String(n).padStart(2, '0')
  const monthNames = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']
  const person = (): string => `${pick(given)} ${random() < 0.3 ? `${String.fromCharCode(65 + int(0, 25))}. ` : ''}${pick(family)}`
  const dateForms: ((y: number, m: number, d: number) => string)[] = [
    (y, m, d) => `${monthNames[m - 1]} ${d}, ${y}`, (y, m, d) => `${d} ${monthNames[m - 1]!.slice(0, 3)} ${y}`, (y, m, d) => `${y}-${two(m)}-${two(d)}`, (y, m, d) => `${m}/${d}/${y}`,
    (y, m, d) => `${two(d)}-${monthNames[m - 1]!.slice(0, 3)}-${y}`, (y, m, d) => `the ${d}th of ${monthNames[m - 1]} ${y}`, (y, m, d) => `${y}${two(m)}${two(d)}`,
  ]
  const makers: Record<string, (id: string) => { sentence: string; planted: string[] }> = {
    'titled name': () => { const name = pick(family); return { sentence: pick([`Findings were telephoned to Dr. ${name} at noon.`, `Mrs ${name} was nursed upright.`, `Prof ${name}'s team will follow up.`]), planted: [name] } },
    'signature': () => { const name = person(); return { sentence: pick([`Electronically signed by ${name}, MD.`, `Transcribed by: ${name}`, `Radiologist: ${name}`, `Report verified by ${name}.`]), planted: name.split(/ (?:\p{Lu}\. )?/u) } },
    'full name': () => { const name = person(); return { sentence: pick([`Patient name: ${name}.`, `History given by her daughter ${name}.`, `Spoke with ${name} about the result.`]), planted: name.split(/ (?:\p{Lu}\. )?/u) } },
    'family first': () => { const [g, f] = [pick(given), pick(family)]; return { sentence: `Name: ${f}, ${g}`, planted: [f, g] } },
    'phone': () => { const phone = pick([`(${int(201, 989)}) 555-0${int(100, 199)}`, `+44 7700 900${int(100, 999)}`, `${int(201, 989)}.555.0${int(100, 199)}`]); return { sentence: pick([`Call back on ${phone}.`, `Next of kin reachable under ${phone} in the evening.`, `Fax ${phone}`]), planted: [phone] } },
    'mail': () => { const mail = `${pick(given).toLowerCase()}.${digits(3)}@mail.example.org`; return { sentence: `Result sent to ${mail}.`, planted: [mail] } },
    'record': () => { const number = pick([digits(8), `${pick(['K', 'RX', 'HN'])}-${digits(6)}`, `${digits(2)}-${digits(6)}`]); return { sentence: pick([`MRN: ${number}.`, `Accession no. ${number} was reviewed.`, `Hospital number ${number}`, `Insurance policy ${number} noted.`]), planted: [number] } },
    'ssn': () => { const number = `${int(100, 665)}-${int(10, 99)}-${int(1000, 9999)}`; return { sentence: `Social security ${number} on the form.`, planted: [number] } },
    'address': () => { const address = `${int(2, 980)} ${pick(streets)}`; return { sentence: pick([`Lives at ${address} with a cat.`, `Home visit at ${address} is planned.`, `Address: ${address}, ${pick(['Larchmont', 'Penwith'])}`]), planted: [address] } },
    'postcode': () => { const code = pick([`SW${int(1, 9)}A ${int(1, 9)}AB`, `EH${int(10, 19)} ${int(1, 9)}QT`]); return { sentence: `Referred from the practice in ${code}.`, planted: [code] } },
    'hospital': () => { const name = pick(hospitals); return { sentence: `Transferred from ${name} Hospital overnight.`, planted: [name] } },
    'birth': () => { const date = dateForms[int(0, 4)]!(int(1931, 1999), int(1, 12), int(1, 28)); return { sentence: `DOB: ${date}.`, planted: [date] } },
    'old age': () => { const age = int(90, 103); return { sentence: pick([`A ${age}-year-old resident of a care home.`, `Aged ${age} and independent.`, `This ${age} yo woman fell.`]), planted: [String(age)] } },
    'own id': (id) => ({ sentence: pick([`Previous film of ${id} was used.`, `See ${id} for the earlier report.`]), planted: [id] }),
    'web': () => { const url = `https://portal.example.net/p/${digits(6)}`; return { sentence: `Images at ${url} for review.`, planted: [url] } },
  }
  const kinds = Object.keys(makers)
  return Array.from({ length: count }, (_, index) => {
    const id = `PT${digits(6)}`
    const sentences: string[] = []
    const planted: Planted[] = []
    for (let k = 0; k < 3; k++) {
      const kind = kinds[(index * 3 + k) % kinds.length]!
      const made = makers[kind]!(id)
      sentences.push(made.sentence, pick(findings))
      planted.push(...made.planted.map((text) => ({ kind, text })))
    }
    // Two dated events; months after the twelfth day, so that every order reads the same.
    const first = [int(2012, 2023), int(1, 12), int(13, 28)] as const
    const later = new Date(Date.UTC(first[0], first[1] - 1, first[2]) + int(1, 400) * 86_400_000)
    const second = [later.getUTCFullYear(), later.getUTCMonth() + 1, later.getUTCDate()] as const
    const [formA, formB] = [dateForms[int(0, 5)]!, dateForms[int(0, 2)]!]
    const dates = [formA(...first), formB(...second)]
    sentences.push(`Admitted ${dates[0]}.`, `Seen again ${dates[1]}.`)
    planted.push(...dates.map((text) => ({ kind: 'date', text })))
    const iso = [first, second].map(([y, m, d]) => `${y}-${two(m)}-${two(d)}`)
    // A line such as "Name: A, B" ends with its line.
    return { id, text: sentences.map((sentence) => sentence + (sentence.endsWith('.') ? ' ' : '\n')).join('').trim(), planted, eventDates: iso }
  })
}

/** Planted texts that are still there, as whole words. */
export function leftIn(text: string, planted: readonly Planted[]): Planted[] {
  // "Baker" of the cyst is no Mrs Baker left over.
  const rest = clinicalPhrases.reduce((held, phrase) => held.replaceAll(phrase, ''), text)
  return planted.filter((entry) => new RegExp(`(?<![\\p{L}\\d])${entry.text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')}(?![\\p{L}\\d+])`, 'u').test(rest))
}

export const clinicalPhrases = ['3.5 cm', 'Kerley B lines', 'T12', '2/6', '20/40', 'Swan-Ganz catheter', 'Hodgkin lymphoma stage IIB (T2N1M0)', 'Baker cyst', 'Foley catheter', '500 mg', '120/80', 'SpO2 94%', 'Cobb angle 15 degrees']

/** Sentences with made-up identifiers for real reports. Written after the rules and apart from their tests: other names, other templates, other writings. */

export interface PlantedText { kind: string; text: string }
export interface PlantedReport { sentences: string; planted: PlantedText[] }

/** xorshift32; its own, so that the plants never change with anything else. */
function generator(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0 || 1
  return () => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 4294967296
  }
}

const given = ['Marisol', 'Desmond', 'Harriet', 'Yusuf', 'Beatrix', 'Cornelius', 'Nkechi', 'Torsten', 'Genevieve', 'Rufus', 'Lakshmi', 'Alistair', 'Perpetua', 'Domingo', 'Henrietta', 'Zoltan']
const family = ['Castellanos', 'Whitcombe', 'Adeyemi', 'Brannigan', 'Kowalczyk', 'Thistlewood', 'Bhattacharya', 'Sorensen', 'Pemberton', 'Vasquez', 'McGillicuddy', 'Oyelaran', 'Rautenberg', 'Delacroix', 'Fairweather', 'Hargreaves']
const streets = ['Primrose Hill Road', 'Magnolia Avenue', 'Sycamore Drive', 'Harbour View Terrace', 'Bluebell Lane', 'Foxglove Close']
const hospitals = ['Saint Aldhelm', 'Larkfield', 'Westmoor', 'Thornbury']
const monthNames = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']

/** `count` reports' worth of sentences, each with three identifiers and two dates some days apart. */
export function plantReports(seed: number, count: number): (PlantedReport & { days: number })[] {
  const random = generator(seed)
  const int = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1))
  const pick = <T>(list: readonly T[]): T => list[int(0, list.length - 1)]!
  const digits = (n: number): string => Array.from({ length: n }, (_, i) => int(i === 0 ? 1 : 0, 9)).join('')
  const two = (n: number): string => String(n).padStart(2, '0')
  const parts = (name: string): string[] => name.split(' ')
  const makers: Record<string, () => [sentence: string, planted: string[]]> = {
    'name after a title': () => { const name = pick(family); return [pick([`Case reviewed together with Dr ${name}.`, `Images shown to Professor ${name} in the meeting.`, `Mr. ${name} tolerated the examination well.`, `Informed Mrs. ${name} by telephone.`]), [name]] },
    'whole name': () => { const name = `${pick(given)} ${pick(family)}`; return [pick([`Dictated by ${name}, M.D.`, `Reported by: ${name}`, `Attending physician: ${name}.`, `The patient, ${name}, was seated.`, `Her husband ${name} was present.`]), parts(name)] },
    'name turned round': () => { const [f, g] = [pick(family), pick(given)]; return [`Patient: ${f.toUpperCase()}, ${g.toUpperCase()}`, [f.toUpperCase(), g.toUpperCase()]] },
    'telephone': () => { const number = pick([`${int(201, 989)}-555-0${int(100, 199)}`, `+1 (${int(201, 989)}) 555-0${int(100, 199)}`, `020 7946 0${int(100, 999)}`]); return [pick([`Result phoned through, tel ${number}.`, `Please ring ${number} with questions.`, `Contact number: ${number}`]), [number]] },
    'e-mail': () => { const mail = `${pick(given).toLowerCase()}_${pick(family).toLowerCase()}@ward.example.com`; return [pick([`Copy mailed to ${mail}.`, `E-mail: ${mail}`]), [mail]] },
    'web address': () => { const url = `http://pacs.example.org/viewer?case=${digits(7)}`; return [`Prior study under ${url} for comparison.`, [url]] },
    'record number': () => { const number = pick([digits(9), `${pick(['MH', 'QX', 'BR'])}${digits(6)}`, `${digits(3)}-${digits(5)}`]); return [pick([`Medical record number ${number}.`, `MRN# ${number}`, `Accession ${number}.`, `Patient ID: ${number}`]), [number]] },
    'insurance': () => { const number = `${digits(3)}-${digits(2)}-${digits(4)}`; return [pick([`SSN ${number} verified at the desk.`, `Policy number ${number}.`]), [number]] },
    'address': () => { const address = `${int(3, 890)} ${pick(streets)}`; return [pick([`Resides at ${address}.`, `Home address: ${address}.`, `Discharged to ${address} with oxygen.`]), [address]] },
    'hospital': () => { const name = pick(hospitals); return [pick([`Outside film from ${name} Hospital was available.`, `Transfer from ${name} Medical Center.`, `Followed at ${name} Clinic.`]), [name]] },
    'date of birth': () => { const date = pick([`${int(10, 12)}/${int(13, 28)}/${int(1930, 1995)}`, `${int(1, 28)} ${pick(monthNames)} ${int(1930, 1995)}`]); return [pick([`Date of birth: ${date}.`, `Born on ${date}.`]), [date]] },
    'age over 89': () => { const age = int(90, 104); return [pick([`This ${age}-year-old patient is frail.`, `Age: ${age} years.`, `${age} y/o with dyspnea.`]), [String(age)]] },
  }
  const kinds = Object.keys(makers)
  const writings: ((y: number, m: number, d: number) => string)[] = [(y, m, d) => `${monthNames[m - 1]} ${d}, ${y}`, (y, m, d) => `${d} ${monthNames[m - 1]} ${y}`, (y, m, d) => `${two(m)}/${two(d)}/${y}`, (y, m, d) => `${y}-${two(m)}-${two(d)}`]
  return Array.from({ length: count }, (_, index) => {
    const made = Array.from({ length: 3 }, (_, k) => { const kind = kinds[(index * 3 + k) % kinds.length]!; const [sentence, planted] = makers[kind]!(); return { sentence, planted: planted.map((text) => ({ kind, text })) } })
    const days = int(2, 300)
    const first = new Date(Date.UTC(int(2009, 2021), int(0, 11), int(13, 28)))
    let second = new Date(first.getTime() + days * 86_400_000)
    // After the twelfth, so that every order of day and month reads the same.
    while (second.getUTCDate() < 13) second = new Date(second.getTime() + 86_400_000)
    const dates = [first, second].map((date) => pick(writings)(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()))
    const sentences = [...made.map(({ sentence }) => (/[.]$/.test(sentence) ? sentence : `${sentence}\n`)), `Examined ${dates[0]}.`, `Control film ${dates[1]}.`].join(' ')
    return { sentences, planted: [...made.flatMap(({ planted }) => planted), ...dates.map((text) => ({ kind: 'date', text }))], days: Math.round((second.getTime() - first.getTime()) / 86_400_000) }
  })
}

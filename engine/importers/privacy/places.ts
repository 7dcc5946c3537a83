/** Addresses, postcodes, hospitals by name, and ages over 89. */
import { spansOf, type Span } from './span.ts'

const street = '(?:Street|St|Road|Rd|Avenue|Ave|Av|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Place|Pl|Way|Terrace|Ter|Close|Crescent|Cres|Square|Sq|Highway|Hwy|Parkway|Pkwy|Gardens|Gdns|Grove|Row|Mews|Hill|Walk|Circle|Cir|Trail|Trl|Quay|Wharf|Rise|Alley|Turnpike|Pike)'
const cap = "\\p{Lu}[\\p{L}'’.-]*"
const state = '(?:A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])'
const cityStateZip = `${cap}(?: ${cap}){0,2},?\\s+${state}\\.?,?\\s+\\d{5}(?:-\\d{4})?`
const ukCode = '(?:GIR 0AA|[A-PR-UWYZ][A-HK-Y]?\\d[A-HJKPSTUW\\d]? \\d[ABD-HJLNP-UW-Z]{2})'
const tail = `(?:,?\\s+(?:Apt|Apartment|Suite|Ste|Unit|Flat|Fl|Floor|Room|Rm|Bldg|Building|#)\\.?\\s*#?[\\w-]+)?(?:,\\s*${cap}(?: ${cap}){0,2}(?=,|\\s+${state}\\b|\\s+\\d|\\.|\\n|$|\\s+${ukCode}))?(?:,?\\s+${state}\\b)?(?:,?\\s+(?:\\d{5}(?:-\\d{4})?|${ukCode}))?`
const addresses = [
  new RegExp(`(?<![\\p{L}\\d])(?:(?:Flat|Apt|Unit|Apartment|Suite)\\s+\\w+,\\s*)?\\d{1,5}[A-Za-z]?(?:[-/]\\d{1,4})?,?\\s+(?:(?:N|S|E|W|NE|NW|SE|SW|North|South|East|West)\\.?\\s+)?(?:(?:${cap}|\\d{1,3}(?:st|nd|rd|th))\\s+){1,4}${street}\\b(?:(?<=\\b(?:St|Rd|Ave?|Ln|Dr|Blvd|Ct|Pl|Ter|Cres|Sq|Hwy|Pkwy|Gdns|Cir|Trl))\\.)?${tail}`, 'gdu'),
  new RegExp(`\\bP\\.?\\s?O\\.?\\s+Box\\s+\\d+${tail}`, 'gdiu'),
  new RegExp(`(?<![\\p{L}])${cityStateZip}(?!\\d)`, 'gdu'),
  new RegExp(`(?<![\\p{L}\\d])${ukCode}(?![\\p{L}\\d])`, 'gdu'),
  /(?<![\p{L}\d])[A-CEGHJ-NPR-TVXY]\d[A-CEGHJ-NPR-TV-Z] \d[A-CEGHJ-NPR-TV-Z]\d(?![\p{L}\d])/gdu,
  /\b(?:zip(?: ?code)?|post ?code|postal code|plz)\b\s*(?:is|[:#-])?\s*(?<hit>[A-Z]{0,2}\d[A-Z\d -]{2,8}[A-Z\d])/gdi,
  /\b(?:[Hh]ome |[Pp]ostal |[Mm]ailing |[Cc]urrent |[Pp]ermanent |HOME )?(?:[Aa]ddress(?:es)?|ADDRESS)[ \t]*(?:is|[:=-])[ \t]*(?<hit>(?:[\p{Lu}\d#](?:[\p{L}\d'’/-]|\.(?=[\p{L}\d]))*(?:(?<=(?<!\p{L})(?:St|Rd|Ave?|Ln|Dr|Blvd|Ct|Pl|Ter|Cres|Sq|Hwy|Pkwy|Gdns|Apt|Ste|Fl|Rm|Bldg|No|Mt|[NSEW]{1,2}|\p{Lu}))\.)?(?:,[ \t]*|[ \t]+|(?=[\n;.]|$))|(?:of|the|and|upon|on|de|la)[ \t]+){1,14})/gdu,
]
const livesIn = new RegExp(`\\b(?:lives?|lived|living|resid(?:es|ed|ing|ent)|moved|relocated|housed|native|born)\\s+(?:(?:alone|with (?:his|her|their) \\p{Ll}+|independently|currently)\\s+)?(?:in|at|of|to|near|on)\\s+(?:the\\s+)?(?:town of |city of |village of )?(?<hit>(?:\\d{1,5}\\s+)?${cap}(?:[ -]${cap}){0,4}(?:,\\s*${cap}(?: ${cap})?)?)`, 'gdu')
const notPlaces = /^(?:The|A|An|Nursing|Assisted|Home|Hospital|January|February|March|April|May|June|July|August|September|October|November|December|ICU|ED|ER|ITU)\b/

/** Addresses, postcodes, and the place after "lives in". */
export function addressSpans(text: string): Span[] {
  const units = /(?:\d(?:MM|CM|ML|MG|KG|HZ|PM|AM|DL|MS|GY|HU|ST|ND|RD|TH))$/
  return [
    ...addresses.flatMap((pattern) => spansOf(text, pattern, 'addresses', '[ADDRESS]', (start, end) => !units.test(text.slice(start, end)))),
    ...spansOf(text, livesIn, 'addresses', '[ADDRESS]', (start, end) => !notPlaces.test(text.slice(start, end))),
  ]
}

const house = '(?:Hospitals?|Clinics?|Infirmary|Hospice|(?:Medical|Health|Cancer|Imaging|Heart|Trauma|Surgical|Eye|Care) (?:Center|Centre)|Health ?care|Health System|Nursing Home|Care Home|Sanatorium|Surgery Center|Memorial|Polyclinic|University|School|College)'
const institutions = new RegExp(`(?<![\\p{L}])(?<hit>(?:(?:St\\.?|Saint|Mount|Mt\\.?|${cap})(?:\\s+(?:of|and|the|&|de|for)(?=\\s\\p{Lu}))?\\s+){1,5}${house}(?:\\s+of\\s+${cap})?)(?![\\p{L}])`, 'gdu')
const plainWords = new Set(('The A An This That Our Your Their His Her At In On From To Of For And With By Same Other Another Local Outside Referring District Day Inpatient Outpatient Emergency Children Women Community General Specialist Teaching Private Public Field Home Mental Eye Heart Cancer Dental Pain Wound Primary Urgent Acute Skilled Long Term Rehabilitation Rehab Medical Health Care No Previous Prior Pre Post New Admission Transfer Infectious Diseases Disease ' +
  'Cardiology Neurology Oncology Urology Surgery Surgical Pulmonary Chest Fracture Diabetes Diabetic Walk Stroke Memory Psychiatric Psychiatry Pediatric Paediatric Veterinary High Medicine Internal Ophthalmology Retina Glaucoma Referral Tertiary Secondary Regional When After Before During Left Discharged').toLowerCase().split(' '))

/** Hospitals, clinics and homes by name; "Eye Clinic" and "the Hospital" alone name nobody. */
export function institutionSpans(text: string): Span[] {
  return spansOf(text, institutions, 'institutions', '[INSTITUTION]').flatMap((span) => {
    const words = [...text.slice(span.start, span.end).matchAll(/[\p{L}'’.&-]+/gu)]
    // Words of the sentence before the name are no part of it.
    const first = words.find(([word]) => !plainWords.has(word.toLowerCase()))
    if (!first || new RegExp(`^${house}$`, 'u').test(text.slice(span.start + first.index, span.end))) return []
    return [{ ...span, start: span.start + first.index }]
  })
}

const old = '(?<hit>9\\d|1[0-2]\\d)'
const ages = [
  new RegExp(`(?<![\\d.,/-])0?${old}(?:\\s*|-)(?:years?|yrs?|y)(?:[-\\s]*(?:olds?\\b|of age\\b|\\.?o\\.?\\b|/o\\b)|\\b)(?!\\s*(?:pack|smoking|history of smoking))`, 'gdi'),
  new RegExp(`(?<![\\d.,/-])${old}\\s*(?:y\\.?\\s?/?o\\.?|yo[mf]?)(?![\\p{L}])`, 'gdiu'),
  new RegExp(`\\b(?:aged?|ages)\\s*(?:is|of|was|at|[:=])?\\s*(?:\\(?(?:years?|y)\\)?\\s*:?\\s*)?0?${old}(?![\\d.,]\\d|\\d|\\s*(?:days|weeks|months|hours|mm|cm))(?:Y\\b)?`, 'gdi'),
  new RegExp(`(?<![\\d.,/-])${old}\\s?(?:[MF]|male|female|man|woman|gentleman|lady)\\b(?=[\\s,]+(?:with|presents?|presenting|presented|who|was|is|h/o|s/p|c/o|hx|pmh|admitted|status|complain\\w*|found|from|on|in|ex-|smoker|patient|post|after|previously))`, 'gdi'),
  /\b(?<hit>(?:ninety(?:[-\s](?:one|two|three|four|five|six|seven|eight|nine))?|(?:one|a) hundred(?:(?: and)?[-\s](?:one|two|three|four|five|six|seven|eight|nine|ten))?))[-\s]+years?[-\s]*(?:old|of age)\b/gdi,
  new RegExp(`\\b(?:turned|turning|celebrated (?:his|her))\\s+${old}(?:th|st|nd|rd)?\\b(?!\\s*(?:%|degrees|mm|cm))`, 'gdi'),
]

/** Ages from 90 on; the smaller ones stay. */
export function ageSpans(text: string): Span[] {
  const isTemperature = (start: number): boolean => /(?:temp\w*|fever|febrile|t|of|to|°)\s*[:=]?\s*$/i.test(text.slice(Math.max(0, start - 14), start)) && !/(?:age|age of|of age)\s*$/i.test(text.slice(Math.max(0, start - 14), start))
  return ages.flatMap((pattern, index) => spansOf(text, pattern, 'ages', '90+', (start) => index !== 3 || !isTemperature(start)))
}

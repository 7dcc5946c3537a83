/** Addresses, postcodes, hospitals by name, and ages over 89. */
import { eponyms, plainWords as noPlace } from './known-words.ts'
import { isClinicalWord } from './rules/clinical-words.ts'
import { spansOf, type Span } from './span.ts'
import { anyCase } from './rules/any-case.ts'

const street = '(?:Street|St|Road|Rd|Avenue|Ave|Av|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Place|Pl|Way|Terrace|Ter|Close|Crescent|Cres|Square|Sq|Highway|Hwy|Parkway|Pkwy|Gardens|Gdns|Grove|Row|Mews|Hill|Walk|Circle|Cir|Trail|Trl|Quay|Wharf|Rise|Alley|Turnpike|Pike)'
/** A word of a name: unlike `cap` it ends at a full stop, or one name would reach over the end of a sentence. */
const part = "(?:\\p{Lu}[\\p{L}'’-]*|\\p{Lu}\\.)"
const cap = "\\p{Lu}[\\p{L}'’.-]*"
const state = '(?:A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])'
const cityStateZip = `${cap}(?: ${cap}){0,2},?\\s+${state}\\.?,?\\s+\\d{5}(?:-\\d{4})?`
const ukCode = '(?:GIR 0AA|[A-PR-UWYZ][A-HK-Y]?\\d[A-HJKPSTUW\\d]? \\d[ABD-HJLNP-UW-Z]{2})'
const tail = `(?:,?\\s+(?:Apt|Apartment|Suite|Ste|Unit|Flat|Fl|Floor|Room|Rm|Bldg|Building|#)\\.?\\s*#?[\\w-]+)?(?:(?:,|\\n)\\s*${cap}(?: ${cap}){0,2}(?=,|\\s+${state}\\b|\\s+\\d|\\.|\\n|$|\\s+${ukCode}))?(?:,?\\s+${state}\\b)?(?:,?\\s+(?:\\d{5}(?:-\\d{4})?|${ukCode}))?`
const addresses = [
  new RegExp(`(?<![\\p{L}\\d])(?:(?:Flat|Apt|Unit|Apartment|Suite)\\s+\\w+,\\s*)?\\d{1,5}[A-Za-z]?(?:[-/]\\d{1,4})?,?\\s+(?:(?:N|S|E|W|NE|NW|SE|SW|North|South|East|West)\\.?\\s+)?(?:(?:${cap}|\\d{1,3}(?:st|nd|rd|th))\\s+){1,4}${street}\\b(?:(?<=\\b(?:St|Rd|Ave?|Ln|Dr|Blvd|Ct|Pl|Ter|Cres|Sq|Hwy|Pkwy|Gdns|Cir|Trl))\\.)?(?: (?:NW|NE|SW|SE|N|S|E|W)\\b)?${tail}`, 'gdu'),
  new RegExp(`\\bP\\.?\\s?O\\.?\\s+Box\\s+\\d+${tail}`, 'gdiu'),
  new RegExp(`(?<![\\p{L}])${cityStateZip}(?!\\d)`, 'gdu'),
  new RegExp(`(?<![\\p{L}\\d])${ukCode}(?![\\p{L}\\d])`, 'gdu'),
  /(?<![\p{L}\d])[A-CEGHJ-NPR-TVXY]\d[A-CEGHJ-NPR-TV-Z] \d[A-CEGHJ-NPR-TV-Z]\d(?![\p{L}\d])/gdu,
  /\b(?:zip(?: ?code)?|post ?code|postal code|plz)\b\s*(?:is|[:#-])?\s*(?<hit>[A-Z]{0,2}\d[A-Z\d -]{2,8}[A-Z\d])/gdi,
  /\b(?:[Hh]ome |[Pp]ostal |[Mm]ailing |[Cc]urrent |[Pp]ermanent |HOME )?(?:[Aa]ddress(?:es)?|ADDRESS)[ \t]*(?:is|[:=-])[ \t]*(?<hit>(?:[\p{Lu}\d#](?:[\p{L}\d'’/-]|\.(?=[\p{L}\d]))*(?:(?<=(?<!\p{L})(?:St|Rd|Ave?|Ln|Dr|Blvd|Ct|Pl|Ter|Cres|Sq|Hwy|Pkwy|Gdns|Apt|Ste|Fl|Rm|Bldg|No|Mt|[NSEW]{1,2}|\p{Lu}))\.)?(?:,[ \t]*|[ \t]+|(?=[\n;.]|$))|(?:of|the|and|an|y|upon|on|de|la|le|du|del|den|der)[ \t]+){1,14})/gdu,
]
const livesIn = new RegExp(anyCase(`\\b(?i:lives?|lived|living|resid(?:es|ed|ing|ent)|moved|relocated|housed|native|born|brought up|raised|grew up|domiciled|stays|staying|based|flew|came here|comes|came|originally|hails|emigrated|immigrated|returned|retired|holiday(?:ed)?|travell?(?:ed|ing|s)|trip|visit(?:ing)?|flight|deployed|stationed)\\s+(?:(?:here|back|to the (?:UK|US|USA|EU)|recently|home) )?(?:(?:alone|with (?:his|her|their) \\p{Ll}+|independently|currently)\\s+)?(?:in|at|of|to|near|on|from|outside)\\s+(?:the\\s+)?(?:town of |city of |village of )?(?<hit>(?:\\d{1,5}\\s+)?${part}(?:[ -]${part}){0,4}(?:,\\s*${part}(?: ${part})?)?(?:\\s+to\\s+${part}(?:[ -]${part}){0,2})?)`), 'gdu')
const notPlaces = /^(?:The|A|An|Nursing|Assisted|Home|Hospital|January|February|March|April|May|June|July|August|September|October|November|December|ICU|ED|ER|ITU)\b/

/** "Patient from Llanelli, retired miner": where a text, a line or a person begins so. */
const fromTown = new RegExp(anyCase(`(?:^|[\\n.;,]\\s{0,3}|\\b(?i:patient|man|woman|lady|gentleman|boy|girl|pt|he|she|worker|farmer|student|tourist) (?:is |was |comes |came )?)(?i:from)\\s+(?<hit>${part}(?:[ -]${part}){0,3})(?=,|\\.|;|\\n|$|\\s+(?:who|with|presents|presented|was|is))`), 'gdu')
/** "Riverside Community Hospital, Fresno" and "(Brightside Opticians, Harrogate)". */
const afterPlace = new RegExp(`\\b(?:Hospital|Clinic|Infirmary|Center|Centre|Surgery|Practice|Opticians|Pharmacy|Home|Hospice|School|College|University),\\s+(?<hit>${part}(?:[ -]${part}){0,2})(?=[.,;)\\n]|$)`, 'gdu')
/** A number, words none of which is of medicine, a comma, a town: "18a Low Moor Side, New Farnley, Leeds"; "3 Tŷ Gwyn, Pontypridd". */
const houseAndTown = new RegExp(`(?<![\\p{L}\\d./-])(?<hit>\\d{1,4}[a-z]? ${part}(?:[ -]${part}){1,3},\\s(?:${part}(?:[ -]${part}){0,2},\\s)?${part}(?:[ -]${part}){0,2})(?=[,.;)\\n]|$|\\s${ukCode})`, 'gdu')
/** "village Kallakurichi", "town: Ballina", "co. Mayo". */
const named = new RegExp(anyCase(`(?<![\\p{L}\\d])(?:(?i:village|town|hamlet|suburb|parish|municipality|borough|province|townland)(?: of)?|(?i:city|district|county|state) of|co\\.)[: ]\\s?(?<hit>${part}(?:[ -]${part}){0,2})`), 'gdu')
/** What stands before an address in other languages. */
const livesAbroad = new RegExp(`(?<![\\p{L}\\d])(?:wohnhaft|wohnt|domicili[ée]e?|demeurant|residente|domiciliat[oa]|woonachtig|zamieszkał[ya]|nat[oa] a|née? à|geboren in)(?: in| à| en| te| w)?:?\\s+(?<hit>(?:(?:${part}|\\d{1,5}[a-z]?|am|an|der|den|de|la|le|im|zum|zur|du|des),?[ ]?){1,8})`, 'gdu')
const foreignStreets = [
  new RegExp(`(?<![\\p{L}\\d])(?:(?:Am|An der|An den|Im|In der|Zum|Zur|Auf dem|Unter den) )?${part}(?:[ -]${part}){0,2} \\d{1,4}[a-z]?,\\s\\d{4,5} ${part}(?:[ -]${part})?`, 'gdu'),
  new RegExp(`(?<![\\p{L}\\d])(?:\\d{1,4}(?: ?(?:bis|ter|[A-Za-z]))?,?\\s+)(?:rue|avenue|boulevard|place|chemin|impasse|allée|quai|route|cours|via|viale|piazza|corso|calle|plaza|paseo|rua)(?:\\s+(?:de|des|du|la|le|les|d['’]|del|della|de la|dos|da|do))*\\s*${part}(?:[ -]${part}){0,3}(?:,?\\s+\\d{4,5}\\s+${part}(?:[ -]${part})?)?`, 'gdu'),
  new RegExp(`(?<![\\p{L}\\d])(?:Calle|Via|Viale|Piazza|Corso|Plaza|Paseo|Avenida|Rua|Rue|Avenue|Boulevard|Carrer)(?:\\s+(?:de|des|du|la|le|les|del|della|dos|da|do|di))*\\s+${part}(?:[ -]${part}){0,3},?\\s+\\d{1,4}(?:,?\\s+\\d{4,5}\\s+${part}(?:[ -]${part})?)?`, 'gdu'),
  new RegExp(`(?<![\\p{L}\\d])\\p{Lu}[\\p{L}-]*(?:stra(?:ß|ss)e|str\\.|gasse|weg|platz|allee|damm|ufer|ring|laan|straat|plein|gracht|gatan|vägen|gade|vej|katu)\\s+\\d{1,4}\\s?[a-z]?\\b(?:,?\\s+(?:\\p{Lu}{1,2}-)?\\d{4,5}(?:\\s?\\p{Lu}{2})?\\s+${part}(?:[ -]${part})?)?`, 'gdu'),
  new RegExp(`(?<![\\p{L}\\d])(?:The )?(?:Old |New )?(?:Rectory|Vicarage|Manor|Farmhouse|Cottage|Lodge|Barn|Mill House|Coach House|Grange|Gatehouse|Bungalow),\\s+${part}(?: ${part}){0,3}(?:,\\s+${part}(?: ${part}){0,2})?`, 'gdu'),
]

const isNoTown = (text: string): boolean => notPlaces.test(text) || text.split(/[\s,-]+/).every((entry) => isClinicalWord(entry) || noPlace.has(entry.toLowerCase()))

/** Addresses, postcodes, and the place after "lives in". */
export function addressSpans(text: string): Span[] {
  // "T12 2ND" alone; a whole address may well end so (Hove BN3 5RD).
  const units = /^[CTLS]\d{1,2} \d(?:HZ|DL|GY|HU|ST|ND|RD|TH)$/
  return [
    ...addresses.flatMap((pattern) => spansOf(text, pattern, 'addresses', '[ADDRESS]', (start, end) => !units.test(text.slice(start, end)))),
    ...[livesIn, fromTown, afterPlace, houseAndTown, named, livesAbroad].flatMap((pattern) => spansOf(text, pattern, 'addresses', '[ADDRESS]', (start, end) => !isNoTown(text.slice(start, end)))),
    ...foreignStreets.flatMap((pattern) => spansOf(text, pattern, 'addresses', '[ADDRESS]')),
  ]
}

const house = '(?:Hospitals?|Clinics?|Infirmary|Hospice|(?:Medical|Health|Cancer|Imaging|Heart|Trauma|Surgical|Eye|Care) (?:Center|Centre)|Health ?care|Health System|Nursing Home|Care Home|Sanatorium|Surgery Center|Memorial|Polyclinic|University|School|College|Surgery|Practice|Opticians?|Optometry|Imaging|Radiology Group|Diagnostics|Laborator(?:y|ies)|Pharmacy|Day (?:Centre|Center)|Care Home|Rest Home|Lodge|Hospice|Academy|Nursery|Sanatorium|Dialysis Unit|Klinik(?:um)?|Krankenhaus|Ospedale|Augenzentrum|Eye ?care|SNF|Assisted Living|Retirement (?:Home|Village|Community)|Open MRI|Infant School|Grammar School|LLP|GmbH|Solicitors|Blood Bank|Eye Bank|Vision Cent(?:re|er))'
const institutions = new RegExp(`(?<![\\p{L}])(?<hit>(?:(?:St\\.?|Saint|Mount|Mt\\.?|${part})(?:\\s+(?:of|and|the|&|de|for)(?=\\s\\p{Lu}))?\\s+){1,5}${house}(?:\\s+of\\s+${part}(?: ${part})?|(?<=Hospital)\\s+(?!The\\b|No\\b|On\\b|Dr\\b|Mr\\b|Patient|Ward|Number|Course|Admission|Day|Discharge|ID\\b|MRN)${part}(?=[\\s,.;)]|$))?)(?![\\p{L}])`, 'gdu')
/** Words that name a house only behind words of no language: "Abbeyfield House", "BlueBird Care", "Hazelwood High". In capitals too. */
const weakHouse = new RegExp(`(?<![\\p{L}])(?<hit>(?:(?:St\\.?|ST\\.?|${part})\\s+){1,3}(?:House|Care|High|RH|NH|Council|Court|Grange|General|GENERAL|HOSPITAL|CLINIC|INFIRMARY|MEDICAL CENTER|MEDICAL CENTRE|NURSING HOME|CARE HOME|Manor|Retina|Hotel|Ltd|Inc|LLC|PLC|Primary|Trust|Foundation|Labs|MRI))(?![\\p{L}])`, 'gdu')
const hotel = new RegExp(`(?<![\\p{L}])(?:Hotel|Residenz|Seniorenheim|Pflegeheim|Altenheim|EHPAD|Résidence|Casa di cura|Verpleeghuis|Tesco|Sainsbury['’]s|Asda|Walmart|Lloyds|Boots|Specsavers)(?:\\s+(?:${part})){1,3}`, 'gdu')
/** "Insurance: Kaiser", "insured with Helsana", "at Gleneagles": a word of no language. */
const plainAt = new RegExp(anyCase(`(?:(?<=\\p{Ll}[,;]?\\s)(?:at|bei|chez|presso)|(?i:insurance|insurer|insured (?:by|with)|payer|payor|employer|hospital|hosp|facility|site|school|practice|surgery|care home|pharmacy|versichert bei|kasse)(?:\\s?:|\\sis)) (?:the )?["“]?(?<hit>${part}(?:[ -]${part}){0,3}(?:['’]s(?! \\p{Lu}))?)`), 'gdu')
/** The word for the house first: "Hôpital Necker", "Universitätsklinikum Heidelberg". */
const houseFirst = new RegExp(`(?<![\\p{L}])(?<hit>(?:H[ôo]pital|Hospital (?:de|del|da|do|Clínic|Clínico|Universitari[oa]?|General de)|Cl[ií]ni(?:que|ca|c)|CHU|CHR|Ospedale|Policlinico|\\p{Lu}?\\p{L}*(?:[Kk]linikum|[Kk]rankenhaus|[Kk]linik)|Charité|Szpital|Sjukhuset|VA|Kaiser)(?:\\s+(?:de|del|della|di|da|do|du|la|le|les|zu|am))*\\s+${part}(?:[ -]${part}){0,3}|Charité|Kaiser Permanente)`, 'gdu')
/** "Referred from Moorfields": a word that is none of the language where somebody is sent, seen or scanned. */
const sentFrom = new RegExp(anyCase(`\\b(?i:(?:referred|transferred|repatriated|discharged|sent|copied|moved|admitted|readmitted|presented|attended|seen|scanned|imaged|treated|operated(?: on)?|followed(?: up)?|reviewed|done|performed|obtained|acquired|taken|study|exam|ct|mri|films?|images?|x-?ray|scans?|surgery|admission|records?|trained|employed|works?|worked|working|studies|attends) (?:from|to|at|by the|in|for|with)|works for|employed by|attends) (?:the )?(?<hit>${part}(?:[ -]${part}){0,3}(?:['’]s(?! \\p{Lu}))?)`), 'gdu')
const acronymAt = /\b(?:seen|done|performed|treated|followed|admitted|imaged|scanned|operated|transplanted|trained) at (?:the )?(?<hit>[A-Z]{3,6})\b/gdu
const acronyms = /^(?:ICU|CCU|NICU|PICU|MICU|SICU|HDU|ITU|GP|OPD|OSH|MRI|ECG|EKG|PET|EEG|EMG|MDT|AMU|CDU|ENT|OBS|PACU|OR|PCP|SNF|LTAC|HOSP|TIME|DOB|IDA|NPO|MIP|STAT)$/
const plainWords = new Set(('The A An This That Our Your Their His Her At In On From To Of For And With By Same Other Another Local Outside Referring District Day Inpatient Outpatient Emergency Children Women Community General Specialist Teaching Private Public Field Home Mental Eye Heart Cancer Dental Pain Wound Primary Urgent Acute Skilled Long Term Rehabilitation Rehab Medical Health Care No Previous Prior Pre Post New Book Attended E Royal Attend Attending Visit Visited Return See Saw Admission Transfer Infectious Diseases Disease ' +
  'Cardiology Neurology Oncology Urology Surgery Surgical Pulmonary Chest Fracture Diabetes Diabetic Walk Stroke Memory Psychiatric Psychiatry Pediatric Paediatric Veterinary High Medicine Internal Ophthalmology Retina Glaucoma Referral Tertiary Secondary Regional When After Before During Left Discharged').toLowerCase().split(' '))

/** Hospitals, clinics and homes by name; "Eye Clinic" and "the Hospital" alone name nobody. */
export function institutionSpans(text: string): Span[] {
  const named = [
    ...spansOf(text, houseFirst, 'institutions', '[INSTITUTION]'),
    ...spansOf(text, sentFrom, 'institutions', '[INSTITUTION]', (start, end) => isUnknownPlace(text.slice(start, end))),
    ...spansOf(text, weakHouse, 'institutions', '[INSTITUTION]', (start, end) => isUnknownPlace(text.slice(start, end).replace(/\s+[\p{L}]+$/u, ''), true)),
    ...spansOf(text, hotel, 'institutions', '[INSTITUTION]'),
    ...spansOf(text, plainAt, 'institutions', '[INSTITUTION]', (start, end) => isUnknownPlace(text.slice(start, end)) && !notPlaces.test(text.slice(start, end))),
    ...spansOf(text, acronymAt, 'institutions', '[INSTITUTION]', (start, end) => !acronyms.test(text.slice(start, end))),
  ]
  return spansOf(text, institutions, 'institutions', '[INSTITUTION]').flatMap((span) => {
    const words = [...text.slice(span.start, span.end).matchAll(/[\p{L}'’.&-]+/gu)]
    // Words of the sentence before the name are no part of it.
    const first = words.find(([word]) => !plainWords.has(word.toLowerCase()))
    if (!first || (first[0].length < 3 && words.indexOf(first) === words.length - 2) || new RegExp(`^${house}$`, 'u').test(text.slice(span.start + first.index, span.end))) return []
    return [{ ...span, start: span.start + first.index }]
  }).concat(named)
}

/** Every word of it is none of the language, and it is no abbreviation. */
function isUnknownPlace(hit: string, isShouted = false): boolean {
  const words = hit.replace(/['’]s$/, '').split(/[\s-]+/)
  return words.every((entry) => (/^\p{Lu}\p{Ll}{3,}$/u.test(entry) || (isShouted && /^(?:ST\.?|St\.?|\p{Lu}{5,}|\p{Lu}\p{Ll}+\p{Lu}\p{Ll}+)$/u.test(entry))) && !plainWords.has(entry.toLowerCase()) && !isClinicalWord(entry) && !noPlace.has(entry.toLowerCase()) && !eponyms.has(entry.toLowerCase()))
}

const old = '(?<hit>9\\d|1[0-2]\\d)'
const ages = [
  new RegExp(`(?<![\\d.,/-])0?${old}(?:\\s*|-)(?:years?|yrs?|y)(?:[-\\s]*(?:olds?\\b|of age\\b|\\.?o\\.?\\b|/o\\b)|\\b)(?!\\s*(?:pack|smoking|history of smoking))`, 'gdi'),
  new RegExp(`(?<![\\d.,/-])${old}\\s*(?:y\\.?\\s?/?o\\.?|yo[mf]?)(?![\\p{L}])`, 'gdiu'),
  new RegExp(`\\b(?:aged?|ages)\\s*(?:is|of|was|at|[:=])?\\s*(?:\\(?(?:years?|y)\\)?\\s*:?\\s*)?0?${old}(?![\\d.,]\\d|\\d|\\s*(?:days|weeks|months|hours|mm|cm))(?:Y\\b)?`, 'gdi'),
  new RegExp(`(?<![\\d.,/-])${old}\\s?(?:[MF]|male|female|man|woman|gentleman|lady)\\b(?=[\\s,]+(?:with|presents?|presenting|presented|who|was|is|h/o|s/p|c/o|hx|pmh|admitted|status|complain\\w*|found|from|on|in|ex-|smoker|patient|post|after|previously))`, 'gdi'),
  /\b(?<hit>(?:ninety(?:[-\s](?:one|two|three|four|five|six|seven|eight|nine))?|(?:one|a) hundred(?:(?: and)?[-\s](?:one|two|three|four|five|six|seven|eight|nine|ten))?))[-\s]+years?[-\s]*(?:old|of age)\b/gdi,
  new RegExp(`\\b(?:he|she|patient|pt|who|mother|father|husband|wife)['’]?s?\\s+(?:is|was|are)?\\s*(?:now |only |just |almost |nearly |about )?${old}(?=[,.;)]?(?:\\s*$|\\s*\\n)|[,;]|\\.\\s|\\s+and\\s)`, 'gdim'),
  /\b(?:aged?|age:|aged:)\s+(?<hit>ninety(?:[-\s](?:one|two|three|four|five|six|seven|eight|nine))?|(?:one|a) hundred(?: and (?:one|two|three|four|five))?)\b(?!\s+(?:percent|per cent|degrees))/gdi,
  /\b(?:in|into) (?:his|her|their) (?:early |mid[- ]|late |very late )?(?<hit>nineties|90s|hundreds)\b/gdi,
  new RegExp(`\\b(?:turned|turning|celebrated (?:his|her))\\s+${old}(?:th|st|nd|rd)?\\b(?!\\s*(?:%|degrees|mm|cm))`, 'gdi'),
]

/** Ages from 90 on; the smaller ones stay. */
export function ageSpans(text: string): Span[] {
  const isTemperature = (start: number): boolean => /(?:temp\w*|fever|febrile|t|of|to|°)\s*[:=]?\s*$/i.test(text.slice(Math.max(0, start - 14), start)) && !/(?:age|age of|of age)\s*$/i.test(text.slice(Math.max(0, start - 14), start))
  if (!/9\d|1[0-2]\d|ninet|hundred|90s/i.test(text)) return []
  return ages.flatMap((pattern, index) => spansOf(text, pattern, 'ages', '90+', (start) => index !== 3 || !isTemperature(start)))
}

/**
 * Names that no list knows, by who somebody is ("Sonographer Bethan"), what they did ("amended by A. Thistle"), whose relative they are, or what is
 * said of them ("Kwabena Asante was admitted"). Only words that are neither of the language nor of medicine count, see clinical-words.ts.
 */
import { anyCase } from './any-case.ts'

export const particle = "(?:van der|van den|van de|van ['’]t|van|von der|von|vom|zu|zur|op den|op de|de la|de los|de las|del|della|dello|dalla|de|di|da|das|do|dos|du|des|le|la|lo|li|abd el|abd al|abu|bin|binti|bint|ibn|ben|bar|al|el|ter|ten|ní|ni|nic|ó|uí|mac|ap|ab|te|st\\.?)"
/** Bounded: a run of letters without end must not make the search slow. */
export const word = "(?:\\p{Lu}[\\p{L}'’]{0,40}\\p{L}(?:-\\p{L}[\\p{L}'’]{1,40}){0,3})"
const initial = '(?:\\p{Lu}\\.?(?![\\p{L}\\d]))'
const one = `(?:(?:${initial}\\.? ?){0,3}(?:(?i:${particle}) )?${word}(?: (?:${initial}|(?:(?i:${particle}) )?${word})){0,3})`
const two = `(?:${word}(?: ${initial})?(?: (?:(?i:${particle}) )?${word}){1,3})`
const title = '(?:(?i:drs?|mr|mrs|ms|miss|prof(?:essor)?|sir|sister|nurse|md)\\.?[ \\t]{1,4}){0,2}'

/** Who writes, examines, cares and helps. */
const role = '(?:(?:(?:senior|junior|diabetic|specialist|research|staff|charge|ward|district|practice|trainee|lead|chief|duty|on-call|consultant|clinical|police|social|case|care|support|school|medical|med|surg|ortho|plastics|paeds?|neuro|icu|cardiac|renal|stroke|retinal|foster|advanced|acute|cancer|community|locum|student|foundation|dog|night|referring|reporting|requesting|ordering|attending|reading|responsible|treating|admitting)[ -])?' +
  '(?:nurse practitioner|physician(?:.s)? (?:assistant|associate)|radiographer|sonographer|ultrasonographer|echocardiographer|technologist|technician|tech|optometrist|optician|optom|orthoptist|pharmacist|physio(?:therapist)?|paramedic|dietici?an|dietitian|midwife|nurse|clinician|physician|registrar|reg|resident|intern|house officer|sho|secretary|typist|transcriptionist|scribe|interpreter|translator|chaperone|worker|manager|coordinator|navigator|constable|officer|pc|judge|rep|representative|landlord|landlady|lawyer|solicitor|attorney|teacher|coach|walker|volunteer|chaplain|anaesthetist|anesthetist|anaesthesiologist|anesthesiologist|surgeon|radiologist|pathologist|cardiologist|oncologist|neurologist|ophthalmologist|consultant|assistant|operator|provider|colleague|professor|employer|landlord|pharmacy contact|contact|student|trainee|locum|fellow|houseman|grader|phlebotomist|phleb|audiologist|audiol|dietician|counsellor|advocate|health visitor|hv|eclo|receptionist|investigator|healthcare assistant|foster (?:mother|father|carer)|priest|imam|vicar|spr|str|sho|ct[1-3]|fy?[12]|gp|pcp|md|np|hca|odp|slt|salt|ot))'
const afterRole = new RegExp(anyCase(`(?<![\\p{L}\\d])(?i:${role})(?:[ \\t]{0,4}[:=/]|[ \\t]{1,4}[-–]|,|[ \\t]{1,4}(?i:is|was))?[ \\t]{1,4}\\(?${title}(?<hit>${one})`), 'gdu')
const label = '(?:(?:dr|md|phys|scrub|runner|ref(?:erring|\'?d)?|ordering|req(?:uesting|uested)?|attending|rad(?:iologist)?|tech(?:nologist)?|approved|verified|checked|finali[sz]ed|authenticated|countersigned|copies|clinician|interpreter|translator|assistants?|anaesthetist|anesthetist|surgeons?|author|editor|optom|operator|performed|reviewer|social worker|case manager|emergency contact|next of kin|nok|carer|consultant|supervisor|patient|pt|pat|name|narne|student|registrar|teacher)(?: (?:dr|md|by|physician|phys|provider|doctor|name))?)'
const labelled = new RegExp(anyCase(`(?<![\\p{L}\\d])(?i:${label})[ \\t]{0,4}(?:[:=|]|\\t|\\.{3,}|[ \\t][-–])[ \\t]{0,4}${title}(?<hit>${word}, ${one}|${one})`), 'gdu')

/** What only persons do. "caused by" and "supplied by" are not here. */
const act = '(?:(?:injected|administered|cannulated|graded|screened|measured|fitted|prescribed|clerked|collected|counselled|discharged|listed|sedated|bled|authorised|authorized|certified|confirmed|discussed|r\\/v|rv|s\\/b|done|amended|witnessed|checked|countersigned|co-signed|obtained|presented(?: at [\\p{L}]+)?|chaperoned|consented|implanted|inserted|removed|placed|operated|intubated|scribed|edited|corrected|supervised|handed over|taken|drawn|brought(?: in)?|accompanied|driven|found|translated|interpreted|approved|verified|reviewed|reported|dictated|typed|transcribed|signed|seen|examined|assessed|performed|requested|req|ordered|referred|written|read|made|given|booked|arranged|informed|followed(?: up)?|cared for|treated|managed|conducted|carried out|repeated|addendum|report|letter|scan|study|check|image|images|films?|biopsy|opinion|review|prepared) (?:up )?by' +
  '|(?:sent|forwarded|faxed|emailed|e-mailed|mailed|copied|released|transferred|escalated|addressed|handed over|spoke|spoken|talked|phoned|telephoned|relayed|reported|disclosed|explained|shown|shown|according|thanks|thank you|known|belongs|belonging) to|(?:spoke|spoken|discussed|talked|met|lives|living|seen|attended|came|reviewed) with|(?:discussed|seen|reviewed|r\\/v) w\\/?|s\\/b|d\\/w|c\\/o|t\\/c (?:with|from|to)|history (?:obtained )?(?:from|per)|this is|real name(?: is)?|prefers|hx from|collateral (?:history )?from|(?:as )?per|as instructed by|on behalf of|(?:scribed|prepared|covering|typed) for|patient of|opinion of|pleasure of (?:seeing|meeting|reviewing)|thank you for (?:referring|seeing|asking me to see)|(?:i|we|today|was|just) (?:saw|met|reviewed|examined)|addendum|best wishes|kind regards|regards|sincerely|faithfully|cheers|name is|names are|called|named)'
const acted = new RegExp(anyCase(`(?<![\\p{L}\\d])(?i:${act})(?:[:,]?\\s{1,4}|\\s{0,4}\\(\\s{0,4})(?:(?i:the|my|our|his|her|their) )?(?:(?i:${role})[ ,]+)?${title}(?<hit>${word}, ${one}|${one})`), 'gdu')
const slashed = new RegExp(anyCase(`(?<!\\b[wcsWCS])\\/\\s?(?:(?i:checked|verified|approved|signed|seen) by\\s)?${title}(?<hit>${one})`), 'gdu')

const kinWord = '(?:wife|hubby|husband|son|daughter|dtr|dau|mother|father|mum|mom|mam|mummy|daddy|dad|bro|sis|brother|sister|sibling|sib|partner|spouse|ex|pal|foster (?:mother|father|carer)|aunt(?:ie)?|uncle|cousin|niece|nephew|grandson|granddaughter|grandmother|grandfather|grandma|grandpa|granny|nan|carer|caregiver|friend|neighbou?r|guardian|fianc[ée]e?|girlfriend|boyfriend|gf|bf|twin(?: sister| brother)?|stepmother|stepfather|godmother|godfather|lodger|flatmate|housemate|roommate|widow|widower)'
const kin = new RegExp(anyCase(`(?<![\\p{L}\\d])(?i:(?:step|great|grand|half|ex|foster|god)?[- ]?${kinWord}(?:-in-law| in law)?)(?:['’]s name is|['’]s name|,? (?i:named|called|is called|is named)|:|,)?[ \\t]{1,4}\\(?${title}(?<hit>${one})|(?<=(?<!\\p{L})(?i:${kinWord})(?:-in-law)?[ ]\\()(?:(?i:named?) )?(?<inner>${one})`), 'gdu')
const kins = new RegExp(anyCase(`(?<![\\p{L}\\d])(?i:(?:step|grand)?(?:sons|daughters|children|kids|brothers|sisters|parents|twins|siblings|nieces|nephews|friends|cousins))(?:,|:|\\s\\()?[ \\t]{1,4}(?<hit>${one}(?:(?:, | and | & )${one})*)`), 'gdu')
const many = new RegExp(anyCase(`(?<![\\p{L}\\d])(?:Drs|DRS|Doctors|Messrs|Mesdames|Professors|Profs)\\.?[ \\t]{1,4}(?<hit>${one}(?:(?:, (?:and )?| and | & |\\s?/\\s?)${one})*)`), 'gdu')

/** What is said of persons only. */
const said = "(?:is (?:an?|now|currently|doing|well|known|being|here|aware|happy|worried|keen|under|on|in)|was (?:seen|admitted|reviewed|brought|examined|referred|diagnosed|scanned|intubated|discharged|transferred|notified|informed|called|contacted|paged|counselled|given|started|present|born|noted|accompanied)|has (?:an?|been|had|no|not|never)|had (?:an?|been)|presented|presents|tolerated|tolerates|report(?:s|ed)|den(?:ies|ied)|attend(?:s|ed)|arrived|complain(?:s|ed)|stat(?:es|ed)|return(?:s|ed)|underwent|requested|agreed|agrees|declined|consented|liv(?:es|ed)|works|came|called|phoned|rang|tells|told|feels|felt|fell|died|takes|smokes|said|says|describes|thinks|wants|asked|gave|visited|handed|translates?|interpreted|drove|found|denies|family (?:informed|aware|updated))\\b"
const subject = new RegExp(anyCase(`(?=\\p{Lu})(?<=(?:^|[.!?:;,()\\n]|(?i:\\bpatient|\\bpt))\\s{0,4})(?<hit>${two})(?:,)?(?=\\s{1,4}${said})`), 'gdu')
const subjectOne = new RegExp(anyCase(`(?=\\p{Lu})(?<=(?:^|[.!?\\n])\\s{0,4})(?<hit>${word})(?=\\s{1,4}(?:(?:is (?:an? (?:\\d|very |pleasant|lovely|man\\b|woman\\b)|doing well|well\\b)|c\\/o|denies|complains|attended|tolerated|family (?:informed|aware|updated))))`), 'gdu')
const patient = new RegExp(anyCase(`(?<![\\p{L}\\d])(?i:patient|pt|this (?:lady|gentleman|man|woman|child|boy|girl|patient)|baby|infant)\\.?,?[ \\t]{1,4}\\(?(?<hit>${one})`), 'gdu')
const preposed = new RegExp(anyCase(`(?=\\p{Lu})(?<=\\b(?:for|with|from|to|of|by|saw|seeing|met|and|regarding|about|via|ask|asked|contact|letter to|as|like|that)\\s)(?<hit>${two})`), 'gdu')
const beforeNumber = new RegExp(anyCase(`(?<![\\p{L}\\d])(?<hit>(?:(?i:${particle}) )?${word}, ${one}|${two})(?=[ ,;]*[([]?\\s?(?:D\\.?O\\.?B|[Bb]orn\\b|MRN|NHS|CHI\\b|[Hh]osp(?:ital)? (?:[Nn]o|[Nn]umber|ID)|aged \\d|\\d{1,3}\\s?(?:[yY]\\/?o?\\b|yrs?\\b|[MF]\\b)|[\\/,]?\\s?[MF]\\s?[\\/,]\\s?\\d{2}))`), 'gdu')
const signedOff = new RegExp(anyCase(`(?=\\p{Lu})(?<=(?:^|[\\n.;(\\]])\\s{0,4})(?<hit>(?:${initial} ){0,2}${word}(?: ${word})?)(?=, (?:(?i:consultant|senior|specialist|registrar|resident|radiologist|staff|charge|secretary|sho\\b|fy[12]\\b|st[1-8]\\b)|RN\\b|RGN\\b|HCA\\b|NP\\b))`), 'gdu')
const reversed = new RegExp(anyCase(`(?<=^|\\n)[ \\t]{0,4}(?<hit>(?:(?i:${particle}) )?${word}, ${one})(?=\\s{0,4}(?:[-–/|(;]|$|\\n|\\d))`), 'gdu')

const familyInitial = new RegExp(anyCase(`(?<![\\p{L}\\d])(?<hit>${word}, ?(?:\\p{Lu}\\. ?){1,3})(?![\\p{L}\\d])`), 'gdu')

/** Staff by their letters, and whoever did something at the end of a clause. */
const staff = new RegExp(anyCase(`(?<![\\p{L}\\d])(?:SN|SW|RN|RGN|CNS|ANP|HCA|SLT|ACNP|CRNA|RMN)[:,]? (?<hit>${two})`), 'gdu')
const byOne = new RegExp(anyCase(`(?=\\p{Lu})(?<=\\p{Ll}{3} by\\s)(?<hit>${word})(?=[.,;)]|$|\\s(?:on|at|in the|from|today|yesterday)\\b)`), 'gdu')

/** One name behind letters of a staff, where the sentence ends or goes on with what was done. */
const staffOne = new RegExp(anyCase(`(?<![\\p{L}\\d])(?:RN|RGN|CNS|ANP|HCA|SLT|ACNP|CRNA|RMN|PA|PI|CI|SHO|SpR|StR|FY1|FY2|F1|F2|PC(?: \\d{2,5})?|DC|WPC|SW|OT|HV)[:,]? (?<hit>${one})(?=[.,;:)\\n]|$|\\s\\p{Ll})`), 'gdu')
/** "Ahsan SpR", "Rachel (cancer nurse specialist)", "Ines (dietitian)". */
const beforeRole = new RegExp(anyCase(`(?=\\p{Lu})(?<![\\p{L}\\d])(?<hit>${one})(?= (?:SpR|StR|SHO|CNS|ANP|HCA|RN|RGN|FY[12]|F[12]|ST[1-8]|CT[1-3])\\b| \\((?:(?i:the|his|her|their|our|on-call) )?(?:[\\p{L}-]{2,20} ){0,2}(?:(?i:${role}|${kinWord}|specialist))\\))`), 'gdu')
const plural = new RegExp(anyCase(`(?<![\\p{L}\\d])(?i:registrars|fellows|nurses|carers|residents|students|interns|surgeons|radiologists|neighbours|consultants|trainees|witnesses)(?:,|:|\\s\\()?[ \\t]{1,4}(?<hit>${one}(?:(?:, | and | & )${one})*)`), 'gdu')
/** "injected by R. Desrosiers": an initial and a name behind "by" are a person whatever was done. */
const byInitial = new RegExp(anyCase(`(?=\\p{Lu})(?<=\\b[bB][yY]\\s)(?<hit>(?:\\p{Lu}\\. ?){1,3}(?:(?i:${particle}) )?${word}(?:-${word})?)`), 'gdu')
/** A nickname in quotation marks: \'prefers "Dolly"\', \'("Billy")\'. */
const quoted = new RegExp(anyCase(`(?:(?i:known as|called|prefers|goes by|friend|name|aka)\\s{1,3}|\\()["“'’](?<hit>${one})["”'’]|(?=["“])(?<=\\p{Lu}\\p{Ll}{1,30}\\s)["“](?<inner>\\p{Lu}\\p{Ll}{1,20})["”](?=\\s\\p{Lu}\\p{Ll})`), 'gdu')
/** The label on a line of its own, the name on the next. */
const nextLine = new RegExp(anyCase(`(?<=(?:^|\\n)[ \\t]{0,4}(?i:(?:patient |full |last |first |family |given )?(?:names?|surname|forenames?|first names?|given names?)|consultant|referrer|referring (?:doctor|clinician|physician)|gp|next of kin|nok|seen by|doctor|radiologist|surgeon|signed|signature|author|dictated by)(?:\\(s\\))?[ \\t]{0,4}:?[ \\t]{0,4}\\n{1,2}[ \\t]{0,4}(?:(?i:drs?|mr|mrs|ms|miss|prof)\\.? )?)(?=\\p{Lu})(?<hit>${word}, ?${one}|${one})(?=[ \\t]{0,4}(?:\\n|$))`), 'gdu')
/** Who dictated and who typed: "JT/kl", "J.R.T./mkp", at the end of a line or behind a word for it. */
const dictation = /(?:(?<=(?:^|[\n\s.])(?:[Rr]ef|[Dd]ictated|[Tt]ranscribed|[Ss]igned|[Tt]yped|REF|D\/T)\.?:?\s)|(?<=[.\n]\s{0,3}))(?<hit>(?:\p{Lu}\.?){2,3}\/\p{Ll}{2,3})(?=[\s.]*(?:\n|$)|[/\s]\d)/gdu

/** Shapes that nothing else has. */
const caret = /(?<![\p{L}\d^])(?<hit>\p{L}[\p{L}'’. -]{0,40}\^[\p{L}'’. -]{1,40}(?:\^[\p{L}'’. -]{0,20}){0,3})(?![\p{L}\d])/gdu
const initials = new RegExp(anyCase(`(?<![\\p{L}\\d.])(?<hit>(?:\\p{Lu}\\.){2,4} ?(?:${particle} )?${word})`), 'gdu')
const login = /(?:(?<![\p{L}\d])(?:entered|typed|transcribed|scribed|created|modified|placed|ordered|requested|uploaded|scanned|graded|reported|verified) by|grader|transcriptionist|typist|user(?: ?name| ?id)?|login|logon|initials)(?:\s*[:=]\s*(?<hit>\p{L}[\p{L}\d._-]{1,30})|\s(?<inner>\p{Ll}{3,20}\d{1,3})(?![\p{L}\d]|[.,]\d))/gdiu
const staffInitials = /(?<![\p{L}\d])(?:[Tt]ech(?:nologist)?|TECH|[Rr]ad(?:iologist|iographer)?|RAD|[Tt]ranscriptionist|[Tt]ypist|[Oo]perator|[Ii]nitials|[Rr]eader|[Ss]igned|[Ss]een by|[Rr]ead by|[Tt]yped by|[Dd]ictated by)(?:\s*[:=]\s*|\s(?=\p{Lu}{2,3}[.\s]))(?<hit>\p{Lu}{2,4})(?![\p{L}\d])/gdu

/** Stays, as everywhere. */
const leadingTitle = /^(?:(?:Drs?|Mrs?|Ms|Miss|Prof|Professor|Sir|Lady|Sister|Nurse|Father|Rev)\.? )+/

interface Tests {
  /** Neither a word of the language nor of medicine; or in the lists of names. */
  isName: (token: string) => boolean
  /** In the lists of names. */
  isListed: (token: string) => boolean
  /** Cuts words that are no names from the ends; null when nothing is left. */
  trim: (start: number, end: number) => [number, number] | null
}

/** Stretches of `text` that are names by what stands around them. */
export function contextNames(text: string, { isName, isListed, trim }: Tests): [number, number][] {
  const found: [number, number][] = []
  const tokensOf = (start: number, end: number): string[] => [...text.slice(start, end).matchAll(/\p{L}[\p{L}'’-]*/gu)].map(([token]) => token).filter((token) => token.length > 2 && /^\p{Lu}/u.test(token))
  const has = { slash: text.includes('/'), comma: text.includes(','), line: text.includes('\n'), quote: /["“”'’]/.test(text), caret: text.includes('^'), dots: /\p{Lu}\.\p{Lu}/u.test(text) }
  const look = (pattern: RegExp, { all = false, sentenceOnly = false, listed = false, isList = false, few = false } = {}): void => {
    pattern.lastIndex = 0
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const groups = match.indices!.groups!
      const place = groups.hit ?? groups.inner
      if (!place) continue
      // On from the hit and not from its end, which may reach into the next label.
      pattern.lastIndex = Math.max(match.index + 1, place[0])
      if (sentenceOnly && isTitled(text, ...place)) continue
      for (const part of isList ? partsOf(text, ...place) : [place]) {
        const lead = leadingTitle.exec(text.slice(...part))?.[0].length ?? 0
        const kept = trim(part[0] + lead, part[1])
        if (!kept) continue
        const tokens = tokensOf(...kept)
        if (tokens.length === 0 || (listed && !tokens.some(isListed))) continue
        // One unknown word is enough where somebody is said to stand; where nobody is, every word must be one.
        if (all ? tokens.length >= (few ? 1 : 2) && tokens.every(isName) : isName(tokens[0]!)) found.push(kept)
      }
    }
  }
  for (const pattern of [afterRole, labelled, acted, signedOff, byInitial]) look(pattern)
  if (has.quote) look(quoted)
  if (has.line) look(nextLine)
  for (const pattern of [many, kins, plural]) look(pattern, { isList: true })
  if (has.slash) look(slashed, { listed: true })
  look(kin)
  look(staff, { all: true })
  for (const pattern of [staffOne, beforeRole]) look(pattern, { all: true, few: true })
  look(byOne, { sentenceOnly: true })
  look(patient, { sentenceOnly: true })
  look(subjectOne, { sentenceOnly: true })
  for (const pattern of [subject, preposed, beforeNumber]) look(pattern, { all: true, sentenceOnly: pattern !== beforeNumber })
  if (has.comma) look(reversed, { all: true, listed: true })
  if (has.comma) look(familyInitial, { listed: true })
  if (has.dots) look(initials)
  for (const pattern of [...(has.caret ? [caret] : []), ...(has.slash ? [dictation] : []), login, staffInitials]) {
    for (const match of text.matchAll(pattern)) {
      const [start, end] = (match.indices!.groups!.hit ?? match.indices!.groups!.inner)!
      if (pattern === caret || pattern === dictation || !isWordOf(text.slice(start, end), isName, pattern === staffInitials)) found.push([start, end])
    }
  }
  return found
}

/** The names of a list. */
function partsOf(text: string, start: number, end: number): [number, number][] {
  return [...text.slice(start, end).matchAll(/(?:(?!, | and | & |\s?\/\s?).)+/gu)].map((match) => {
    const lead = /^(?:[,&/\s]|and )*/u.exec(match[0])![0].length
    return [start + match.index + lead, start + match.index + match[0].length]
  })
}

/** A word after "typist:" that is a word, as in "user: unknown". Initials of people are in no list. */
function isWordOf(hit: string, isName: (token: string) => boolean, isInitials: boolean): boolean {
  return isInitials ? /^(?:CT|MR|MRI|US|XR|PA|AP|NA|NO|YES|NIL|MD|RN|PET|NM|ED|ER|ICU|GP|IS|TO|OF|ON|AT|IN|BY|OR|AND|THE|FOR|WAS|HAS|NOT)$/.test(hit) : !isName(hit)
}

/** True in a heading or a text in capitals, where a capital says nothing. */
function isTitled(text: string, start: number, end: number): boolean {
  const from = Math.max(text.lastIndexOf('\n', start - 1) + 1, start - 160)
  const until = text.indexOf('\n', end)
  const around = `${text.slice(from, start)} ${text.slice(end, until < 0 ? end + 160 : Math.min(until, end + 160))}`
  const words = around.match(/\p{L}{4,}/gu) ?? []
  const capitals = words.filter((entry) => /^\p{Lu}/u.test(entry)).length
  return words.length >= 2 && capitals > 0.5 * words.length
}

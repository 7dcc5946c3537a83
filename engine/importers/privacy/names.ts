/** Names of persons: by what stands around them, by lists, and names that are known for this patient. Eponyms stay. */
import { doubtfulGivenNames, eponymNouns, eponyms, familyNames, givenNames, plainWords } from './known-words.ts'
import { isClinicalWord } from './rules/clinical-words.ts'
import { contextNames, particle, word } from './rules/name-context.ts'
import type { Span } from './span.ts'
import { anyCase } from './rules/any-case.ts'

const initial = '(?:\\p{Lu}(?:\\.(?=[ ]?\\p{L})|\\.?(?![\\p{L}\\d])))'
const sequence = `(?:(?:${initial}[ ]?){0,3}(?:(?:${particle}|St\\.) )?${word}(?:,? (?:Jr|Sr|II|III|IV)\\b\\.?)?(?: (?:${initial}|(?:(?:${particle}|e|y) )?${word})){0,3})`
const gap = '[ \\t]+'
const titles = '(?:Dr|DR|Dra|Dott|Dottssa|Sig|Sigra|Mevr|Mevrouw|Dhr|Meneer|Fru|Don|Doña|Pani|lek|Revd|Rt Revd|Very Rev|Master|Schwester|Chief|Drs|Mrs|MRS|Mr|Ms|Mx|Miss|Prof|PROF|Professor|Doctor|Sir|Madam|Lady|Lord|Dame|Nurse|Sister|Matron|Rev|Reverend|Father|Rabbi|Imam|Herr|Frau|Signor|Signora|Señor|Señora|Sra|Mme|Monsieur|Capt|Captain|Sgt|Lt|Col|Hon)'
const titled = new RegExp(`(?<![\\p{L}\\d])(?:${titles}\\.?|(?:MR|MS)\\.)(?:${gap}(?:${titles}|med|phil|dent|Prof|PhD)\\.?){0,2}(?:[ \\t]+|[ \\t]*\\n[ \\t]*(?=\\p{Lu}\\p{Ll}))(?<hit>${sequence})`, 'gdu')
const titledLow = new RegExp(`(?<![\\p{L}\\d])(?:dr|mr|mrs|ms|miss|prof|sister)\\.?${gap}(?:\\p{Ll}\\. ?){0,2}(?<hit>(?:${particle} )?[\\p{L}][\\p{L}'’-]+(?: [\\p{L}][\\p{L}'’-]+)?)`, 'gdu')
const low = "\\p{Ll}[\\p{Ll}'’-]+"
/** In a note without capitals: names of the lists where somebody is said to stand. */
const actedLow = new RegExp(`(?<![\\p{L}\\d])(?:(?:seen|reviewed|examined|assessed|signed|dictated|typed|reported|read|requested|performed|referred|discussed|done) (?:by|with)|patient|pt|[Pp]atient name|[Pp]t name|[Nn]ame|d/w|s/b|called|informed|notified|spoke (?:to|with)|nurse|sister|surgeon|optom|gp)[:,]? (?:(?:nurse|dr|mr|mrs|ms|sister|reg|gp)\\.? )?(?<hit>(?:\\p{Ll}\\. ?)?${low}(?: ${low})?)`, 'gdu')
const shoutedTitle = new RegExp(`(?<![\\p{L}\\d])(?:MR|MS)${gap}(?<hit>\\p{Lu}[\\p{L}'’-]+(?: \\p{Lu}[\\p{L}'’-]+)?)`, 'gdu')

const roles = "(?:dr|pat|(?:patient )?narne|patient(?:'s)?(?: full)?(?: name)?|pt(?: name)?|full name|name|surname|fore ?names?|first name|last name|given names?|family name|maiden name|referring(?: (?:physician|doctor|dr|provider|clinician))?|(?:attending|requesting|ordering|primary|interpreting|reporting|consulting|treating|responsible)(?: (?:physician|doctor|provider|clinician|radiologist|surgeon|consultant))?|radiologist|physician|consultant|surgeon|provider|clinician|technologist|technician|operator|resident|fellow|registrar|sonographer|optometrist|pathologist|nurse|gp|pcp|author|reader|signature|signed|transcriptionist|typist|scribe|witness|next of kin|nok|guardian|emergency contact|contact|carer|caregiver|employer|attn|attention|cc|copy to|from|to|re)"
const labelled = new RegExp(`(?<![\\p{L}\\d])(?:${roles})[ \\t]*(?:\\([^)\\n]{0,20}\\))?[ \\t]*(?:[:=|]|\\.{3,})[ \\t]*(?:(?:${titles})\\.?${gap})?(?<hit>\\p{Lu}[\\p{L}'’-]+, ?${sequence}|${sequence})`, 'gdiu')
const acts = "(?:(?:electronically |digitally |e-?)?signed(?: electronically| off)?(?: and \\p{Ll}+)? by|dictated by|transcribed by|typed by|verified by|approved by|authenticated by|authorized by|authorised by|finalized by|finalised by|reviewed (?:by|with)|interpreted by|reported by|read by|over-?read by|performed by|supervised by|requested by|ordered by|referred by|prepared by|written by|entered by|recorded by|examined by|seen by|assessed by|evaluated by|attended by|accompanied by|brought (?:in )?by|operated on by|treated by|called by|telephoned (?:to|by)|discussed (?:\\p{Ll}+ ){0,3}(?:with|by)|communicated (?:\\p{Ll}+ ){0,4}(?:to|with|by)|conveyed to|relayed to|paged to|reported to|given to|notified|informed|spoke (?:to|with)|d/w|c/o of|under the care of|care of|per|attention of|dear|hi|hello|sincerely,?|regards,?|faithfully,?|thanks,?|named?|known as|called|aka|a\\.k\\.a\\.|goes by|patient is|identified as|on behalf of|signed)"
const acted = new RegExp(`(?<![\\p{L}\\d])(?:${acts})[:,]?\\s+(?:(?:the )?(?:${titles}|dr|radiologist|resident|nurse|physician|surgeon|technologist|consultant|registrar|attending|fellow|midwife)\\.?${gap})?(?<hit>\\p{Lu}[\\p{L}'’-]+, ?${sequence}|${sequence})`, 'gdiu')
const kin = new RegExp(`\\b(?:wife|husband|son|daughter|mother|father|mum|mom|dad|brother|sister|partner|spouse|aunt|uncle|cousin|niece|nephew|grandson|granddaughter|grandmother|grandfather|carer|caregiver|friend|neighbou?r|guardian|fianc[ée]e?|girlfriend|boyfriend)(?:,? (?:named|called|is))?[ ,(]{1,2}(?<hit>${sequence})`, 'gdu')
/** "The patient, Jane Miller, was seen": two capitalised words between commas behind the word for a person. */
const apposed = new RegExp(anyCase(`\\b(?i:patient|gentleman|lady|man|woman|boy|girl|infant|wife|husband|son|daughter|mother|father|brother|sister|partner|carer|neighbou?r),\\s+(?<hit>${word}(?: ${initial})?(?: (?:${particle} )?${word}){1,2})(?=,|\\))`), 'gdu')
const degrees = '(?:M\\.?D\\.?|D\\.O\\.|Ph\\.?D\\.?|R\\.?N\\.?|FRC[RPS](?:\\s?\\(?Ed\\)?)?|FRANZCR|FACR|MBBS|MBChB|MB ?BS|MRC[PS]|ARNP|CRNP|PA-C|DPM|DMD|DDS|O\\.?D\\.|RT\\(R\\)|BSN|MSN|Pharm\\.?D|Esq|RDMS)'
const degreed = new RegExp(`(?<![\\p{L}\\d])(?<hit>\\p{Lu}[\\p{L}'’-]+, ?${sequence}|${sequence}),? ?(?=${degrees}(?![\\p{L}]))`, 'gdu')
const initialled = new RegExp(`(?<![\\p{L}\\d.])(?<hit>(?:\\p{Lu}\\. ?){1,3}(${word}))`, 'gdu')
const pairs = new RegExp(`(?<![\\p{L}\\d])(?<a>${word})(?:(?<c>,) ?| )(?:(?:${initial}) )?(?:${particle} )?(?<b>${word})(?: (?<t>${word}))?`, 'gdu')
const single = new RegExp(`(?<![\\p{L}\\d-])(?<hit>${word})(?![\\p{L}\\d-])`, 'gdu')

const particles = new Set(['van', 'der', 'den', 'de', 'von', 'la', 'los', 'del', 'di', 'da', 'dos', 'du', 'le', 'bin', 'ibn', 'al', 'el', 'ter', 'ten', 'ní', 'ni', 'mac', 'e', 'y', 'zu', 'das', 'do', 'lo', 'abd', 'abu', 'binti', 'bint', 'ben', 'ó', 'uí', 'nic', 'ap', 'ab', 'te', 'della', 'des', 'las'])

/** Lower case without accents and apostrophes, for the lists. */
const plain = (token: string): string => (/^[A-Za-z-]*$/.test(token) ? token.toLowerCase() : bared(token))
const bared = (token: string): string => token.replace(/[ðÐ]/g, 'd').replace(/[þÞ]/g, 'th').replace(/[øØ]/g, 'o').replace(/[łŁ]/g, 'l').replace(/[ıİ]/g, 'i').replace(/[đĐ]/g, 'd').replace(/ß/g, 'ss').replace(/[æÆ]/g, 'ae').normalize('NFKD').replace(/[\u0300-\u036f'’]/g, '').toLowerCase()
const isPlainWord = (token: string): boolean => plainWords.has(token.toLowerCase()) || (token.length > 1 && token === token.toUpperCase() && token.length <= 3 && !familyNames.has(plain(token)))
/** How families are named in Slavic, Icelandic, Greek, Turkish, Georgian and Romanian; no word ends so. */
const familyEnding = /.(?:(?:[oei]w|al|[oe]l|[iy]n|er)sk[ia]|[nc]zyk|[oeai][wn]icz|[oei][vw]it?ch|[oei]vic|shvili|opoulo[su]|oglu|d[oó]ttir|[nrl]sdatter|[nrldtk]sson|chenko|[ae]shenko|enkov[a]?|ov(?:sky|skaya|skaia)|evsky|ovskaya|escu)$/
const isFamily = (token: string): boolean => token.split('-').some((part) => familyNames.has(plain(part)) || (part.length > 6 && familyEnding.test(plain(part)) && !eponyms.has(plain(part)))) || /^(?:O['’]|Mc|Mac)\p{Lu}\p{Ll}+/u.test(token)
const isGiven = (token: string): boolean => token.split('-').every((part) => givenNames.has(plain(part)))
const isMaybeGiven = (token: string): boolean => isGiven(token) || doubtfulGivenNames.has(plain(token))

const isListedName = (token: string): boolean => isFamily(token) || isMaybeGiven(token)

/** What follows "mr" and "ms" where they mean magnetic resonance and multiple sclerosis. */
const imagingWords = /^(?:(?:angio|arthro|veno|entero|cholangio|mammo|spectro|elasto|neuro|uro)\p{Ll}*|brain|spine|head|neck|knee|hip|shoulder|pelvis|prostate|breast|liver|imag\p{Ll}*|scan\p{Ll}*|safe|compatible|contrast|without|plaque\p{Ll}*|lesion\p{Ll}*|relapse\p{Ll}*|flare|nurse|patient\p{Ll}*|diagnos\p{Ll}*|since|stable|contin\p{Ll}*)$/iu

/** True when a stretch begins with a word of the language or of medicine that is no name in the lists. */
function isWord(hit: string): boolean {
  const first = /^\p{L}[\p{L}'’-]*/u.exec(hit)?.[0] ?? ''
  return isClinicalWord(first) && !isFamily(first) && !isMaybeGiven(first)
}

/** True when the words from `start` belong to a sign, disease or device: "Baker cyst", "Swan-Ganz catheter", "Hodgkin's". */
function isEponym(text: string, start: number, end: number): boolean {
  const tokens = text.slice(start, end).split(/[\s-]+/).map((token) => plain(token).replace(/s$/, ''))
  const last = tokens.at(-1)!
  const isListed = tokens.every((token) => eponyms.has(token) || eponyms.has(`${token}s`)) || eponyms.has(last) || eponyms.has(`${last}s`)
  if (!isListed) return false
  const after = /^(?:['’]s?)?[\s-]+(?:[A-D\d][\s-]+|(?:type|non)[\s-]+)?(\p{L}+)/u.exec(text.slice(end))
  if (/^['’]s?\b/.test(text.slice(end)) && tokens.length === 1) return true
  const next = after?.[1]?.toLowerCase()
  if (next !== undefined && (eponymNouns.has(next) || eponymNouns.has(next.replace(/s$/, '')))) return true
  return tokens.length > 1 && tokens.every((token) => eponyms.has(token)) && /-/.test(text.slice(start, end))
}

const capitalParticle = /^(?:LO|LA|LE|DE|DI|DA|DU|EL|AL|ABD|VAN|VON|DEL|BIN|IBN|ABU|SAN|DER|DEN|TEN|TER|DOS|MAC)$/

/** Cuts words that are no names from both ends of a run of capitalised words; null when nothing is left. */
function trimmed(text: string, start: number, end: number, stopInside: boolean): [number, number] | null {
  const tokens = [...text.slice(start, end).matchAll(/\p{L}[\p{L}'’-]*\.?/gu)].map((match) => ({ text: match[0], start: start + match.index, end: start + match.index + match[0].length }))
  /** "LO PRESTI", "DR ABD EL-RAHMAN": no abbreviation, but part of what follows. */
  const isLeading = (token: { text: string }): boolean => token !== tokens.at(-1) && capitalParticle.test(token.text) && /^\p{Lu}[\p{Lu}'’-]{3,}$/u.test(tokens[tokens.findIndex((other) => other === token) + 1]!.text)
  const isOut = (token: { text: string }): boolean => !isLeading(token) && isPlainWord(token.text.replace(/\.$/, '')) && !/^\p{Lu}\.?$/u.test(token.text)
  while (tokens.length > 0 && isOut(tokens[0]!)) {
    if (stopInside) return null
    tokens.shift()
  }
  /** "Rose May Hunter": a word between two names is a name. */
  const isMiddle = (token: { text: string }, index: number): boolean => index > 0 && index < tokens.length - 1 && /^\p{Lu}\p{Ll}/u.test(token.text) && doubtfulGivenNames.has(plain(token.text)) && isListedName(tokens[index - 1]!.text) && !isOut(tokens[index + 1]!)
  // A name ends where a word of the sentence begins, or a sign or device: "Smith Cobb angle".
  const stop = tokens.findIndex((token, index) => (isOut(token) && !isMiddle(token, index)) || (/^\p{Ll}/u.test(token.text) && !particles.has(token.text)) || (index > 0 && isEponym(text, token.start, token.end)))
  if (stop >= 0) tokens.length = stop
  const whole = tokens.some((token) => token.text.replace(/\.$/, '').length > 1)
  return whole ? [tokens[0]!.start, endOf(tokens.at(-1)!)] : null
}

const endOf = (token: { text: string; end: number }): number => (token.text.endsWith('.') && token.text.length > 2 ? token.end - 1 : token.end)

const isNoWord = (token: string): boolean => token === token.toLowerCase() && token.length > 2 && !isPlainWord(token) && !isClinicalWord(token) && !eponyms.has(plain(token)) && !doubtfulGivenNames.has(plain(token))
const isLowGiven = (token: string): boolean => givenNames.has(plain(token)) && isNoWord(token)
const isLowFamily = (token: string): boolean => isFamily(token) && isNoWord(token) && !namesakes.has(token)

/** Spans of names that the surroundings or the lists show. */
export function nameSpans(text: string): Span[] {
  const spans: Span[] = []
  const take = (start: number, end: number): void => { spans.push({ start, end, rule: 'names', replacement: '[NAME]' }) }
  const each = (pattern: RegExp, use: (start: number, end: number, match: RegExpExecArray) => void): void => {
    pattern.lastIndex = 0
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const [start, end] = match.indices!.groups!.hit!
      use(start, end, match)
      // On from the hit and not from its end: what was taken for the rest of a name may be the label of the next one.
      pattern.lastIndex = Math.max(match.index + 1, start)
    }
  }
  for (const pattern of [titled, labelled, acted, kin, apposed]) {
    each(pattern, (start, end) => {
      // The labels are read in any capitals, the names after them are not.
      const first = /^[\p{L}.]+/u.exec(text.slice(start, end))?.[0] ?? ''
      if ((pattern === labelled || pattern === acted) && !/^\p{Lu}/u.test(first) && !particles.has(first)) return
      const kept = trimmed(text, start, end, pattern !== labelled)
      const isDoubtful = pattern !== titled || /^(?:Sister|Father|Miss|Nurse|Lady|Lord|Sir|Madam|Matron|Captain|Doctor|Col|Hon|Lt)\b/.test(text.slice(Math.max(0, start - 12), start).trimStart().split(/\s+/).at(-2) ?? '')
      if (kept && !(pattern !== titled && isEponym(text, ...kept)) && !(isDoubtful && isWord(text.slice(...kept)))) take(...kept)
    })
  }
  each(degreed, (start, end) => {
    const kept = trimmed(text, start, end, false)
    if (kept && !isWord(text.slice(...kept)) && /^,? ?\p{Lu}/u.test(text.slice(kept[1]))) take(...kept)
  })
  each(titledLow, (start, end, match) => {
    const tokens = text.slice(start, end).split(' ')
    const isName = (token: string): boolean => isFamily(token) || isMaybeGiven(token)
    const hasDot = /\./.test(match[0].slice(0, start - match.index))
    const first = tokens[0]!
    const isUnknown = first.length > 2 && !isClinicalWord(first) && (hasDot || !/^m[rs]/.test(match[0]) || /^mrs/.test(match[0]) || !imagingWords.test(first))
    if (isPlainWord(first) || (!isName(first) && !isUnknown && !/^\p{Lu}/u.test(first))) return
    take(start, tokens[1] !== undefined && (isName(tokens[1]) || /^\p{Lu}/u.test(tokens[1])) && !isPlainWord(tokens[1]) ? end : start + first.length)
  })
  each(actedLow, (start, end) => {
    const [, startMark, first, second] = /^(\p{Ll}\. ?)?([\p{Ll}'’-]+)(?: ([\p{Ll}'’-]+))?$/u.exec(text.slice(start, end)) ?? []
    if (first === undefined || isPlainWord(first) || (isClinicalWord(first) && !isGiven(first))) return
    const isPair = second !== undefined && isMaybeGiven(first) && (isFamily(second) || /^(?:mc|o['’])\p{Ll}{4,}/u.test(second))
    if (isPair) take(start, end)
    else if (isFamily(first) || isGiven(first) || startMark !== undefined) take(start, start + (startMark?.length ?? 0) + first.length)
  })
  each(shoutedTitle, (start, end) => {
    const tokens = text.slice(start, end).split(' ')
    if (tokens.some((token) => isFamily(token) || isGiven(token))) take(start, tokens[1] !== undefined && isPlainWord(tokens[1]) ? start + tokens[0]!.length : end)
  })
  each(initialled, (start, end, match) => {
    const last = match[2]!
    if (isFamily(last) && !isEponym(text, end - last.length, end)) take(start, end)
  })
  for (const match of text.matchAll(pairs)) {
    const groups = match.indices!.groups!
    const [a, b] = [match.groups!.a!, match.groups!.b!]
    const isPair = match.groups!.c === undefined
      ? (isGiven(a) && !isPlainWord(b)) || (isMaybeGiven(a) && isFamily(b)) || (isFamily(b) && !isPlainWord(a) && !isFamily(a) && !eponyms.has(plain(a)) && isPersonal(text, match.index))
      : isFamily(a) && isMaybeGiven(b)
    if (!isPair || isEponym(text, groups.a![0], groups.b![1]) || isEponym(text, ...groups.b!)) continue
    const third = match.groups!.t
    take(groups.a![0], third !== undefined && (isFamily(third) || isGiven(third)) ? groups.t![1] : groups.b![1])
  }
  // A note without capitals: a given and a family name of the lists side by side, neither of them a word.
  let last: RegExpExecArray | null = null
  for (const token of text.matchAll(/\p{L}[\p{L}'’-]*/gu)) {
    if (last && token.index === last.index + last[0].length + 1 && text[token.index - 1] === ' ' && isLowGiven(last[0]) && isLowFamily(token[0])) take(last.index, token.index + token[0].length)
    last = token
  }
  const isListed = (token: string): boolean => isFamily(token) || isMaybeGiven(token)
  // What is cut off here is also cut off before a name; a word that a list of names has as well is one here, after a title or role.
  const isName = (token: string): boolean => !isPlainWord(token) && (isListed(token) || (!isClinicalWord(token) && token.length > 2))
  const trim = (start: number, end: number): [number, number] | null => {
    const kept = trimmed(text, start, end, true)
    return kept && !isEponym(text, ...kept) ? kept : null
  }
  for (const [start, end] of contextNames(text, { isName, isListed: (token) => isListed(token) && !eponyms.has(plain(token)), trim })) take(start, end)
  each(single, (start, end, match) => {
    const token = match[0]
    // AMY and ANA are laboratory values too.
    if (token.length <= 4 && token === token.toUpperCase()) return
    // "Charles Bonnet syndrome": the given name belongs to the eponym.
    const next = /^ (\p{Lu}\p{L}+)/u.exec(text.slice(end))
    if (next && eponyms.has(plain(next[1]!)) && isEponym(text, end + 1, end + next[0].length)) return
    if (isGiven(token) && !isEponym(text, start, end) && !eponyms.has(plain(token)) && !/^['’]s?\s+\p{Ll}+(?:oma|itis|osis)\b/u.test(text.slice(end))) take(start, end)
  })
  return spans
}

/** True when a text is nothing but names of the lists, none of which is a word of medicine or has a disease named after it: "MILLER JANE", "Kowalczyk". */
export function isNameAlone(text: string): boolean {
  const tokens = text.split(/[\s,.]+/).filter((token) => token !== '' && !/^\p{Lu}$/u.test(token))
  return tokens.length > 0 && tokens.length <= 4 && tokens.every((token) => /^\p{Lu}[\p{L}'’-]{2,}$/u.test(token) && (isGiven(token) || token.split('-').every(isFamily)) && !isPlainWord(token) && !isClinicalWord(token) && !token.split('-').some((part) => eponyms.has(plain(part))) && (!namesakes.has(token.toLowerCase()) || (tokens.length > 1 && tokens.some(isGiven))))
}

/** An unknown word before a family name is a given name in the middle of a sentence or where a text starts; after a full stop it may be any word. */
function isPersonal(text: string, start: number): boolean {
  return start === 0 || !/[.:!?\n]\s*$/.test(text.slice(0, start))
}

/** Escapes a text for a pattern. */
export const escapePattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')

/**
 * Spans of names known from name columns or headers of the same patient ("MILLER^JANE A", "Jane Miller"). A part is taken in any writing, one that is a
 * word of the language only with a capital where the text has capitals; parts that are words of every note are taken only beside another part.
 */
export function knownNameSpans(text: string, names: readonly string[]): Span[] {
  const parts = new Set(names.flatMap((name) => name.split(/[\s^=,;.()/]+/)).map((part) => part.trim()).filter((part) => part.length >= 2 && /^\p{L}[\p{L}'’-]*$/u.test(part)))
  const spans: Span[] = []
  const hasCapitals = /\p{Lu}/u.test(text)
  const isTitle = /^(?:dr|mr|mrs|ms|prof|md|phd|miss|jr|sr|rn)$/i
  for (const part of parts) {
    if (isTitle.test(part) || (part.length < 3 && !hasCapitals)) continue
    const pattern = new RegExp(`(?<![\\p{L}\\d])(?<hit>${spellingsOf(part)})(?![\\p{L}\\d])`, 'gdiu')
    for (const match of text.matchAll(pattern)) {
      const [start, end] = match.indices!.groups!.hit!
      // "zephyra was worried": in small letters a known name is one too, unless the language has the word.
      if (hasCapitals && !/^\p{Lu}/u.test(match[0]) && (part.length < 4 || isWordToo(part))) continue
      if (isEponym(text, start, end)) continue
      if (plainWords.has(part.toLowerCase()) && !hasNeighbour(text, start, end, parts)) continue
      spans.push({ start, end, rule: 'names', replacement: '[NAME]' })
    }
  }
  return spans
}

const accented: Record<string, string> = { a: 'àáâãäåāăą', c: 'çćč', d: 'ďđ', e: 'èéêëēėęě', g: 'ğ', i: 'ìíîïīı', l: 'ł', n: 'ñńň', o: 'òóôõöøő', r: 'ř', s: 'śšşș', t: 'ťțţ', u: 'ùúûüūůű', y: 'ýÿ', z: 'źżž' }

/** A name with and without its accents: a header has MUELLER or MULLER where the letter has Müller. */
function spellingsOf(part: string): string {
  const bare = part.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').replace(/ß/g, 'ss').replace(/[øØ]/g, 'o').replace(/[łŁ]/g, 'l').toLowerCase()
  return bare.replace(/[aou]e|ss|[a-z]|[^a-z]/g, (letter) => {
    if (letter.length === 2) return letter === 'ss' ? '(?:ss|ß)' : `(?:${letter}|[${accented[letter[0]!]!}]|${/[äöü]/i.test(part.normalize('NFC')) ? letter[0]! : letter})`
    const withUmlaut = /[äöü]/i.test(part.normalize('NFC')) && 'aou'.includes(letter) ? `${letter}e|` : ''
    return accented[letter] === undefined ? escapePattern(letter) : `(?:${withUmlaut}[${letter}${accented[letter]}])`
  })
}

/** Words of trades, colours and places that families are named after; beside the other lists. */
const namesakes = new Set('baker banks black brook brooks brown bush carpenter church cook fisher ford forest frost gardener glass gray green grey grove hunter lake marsh mason miller moss noble nurse painter parish park pool porter potter rivers savage shepherd sharp smith snow spring strong summers swift tanner taylor tyler waters weaver winter wise wood woods'.split(' '))

function isWordToo(part: string): boolean {
  const low = part.toLowerCase()
  return plainWords.has(low) || doubtfulGivenNames.has(low) || eponyms.has(plain(part)) || namesakes.has(low) || (isClinicalWord(part) && !isGiven(part) && !isFamily(part))
}

function hasNeighbour(text: string, start: number, end: number, parts: ReadonlySet<string>): boolean {
  const near = `${text.slice(Math.max(0, start - 25), start)} ${text.slice(end, end + 25)}`.toLowerCase().split(/[^\p{L}'’-]+/u)
  return [...parts].some((part) => near.includes(part.toLowerCase()))
}

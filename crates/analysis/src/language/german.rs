//! Word lists of German.

use std::collections::HashSet;

use super::{HousekeepingTitles, Lexicon, VerbPlace, phrases, weighted, weighted_phrases, words};

pub(super) fn lexicon() -> Lexicon {
    Lexicon {
        function_words: words(FUNCTION_WORDS),
        general_words: words(GENERAL_WORDS),
        determiners: words(
            "der die das den dem des ein eine einen einem einer eines dieser diese dieses diesem \
             diesen jeder jede jedes kein keine ihr ihre sein seine unser unsere von vom zu zum \
             zur in im am an auf aus bei beim mit durch für ohne über unter zwischen",
        ),
        phrase_links: words("der des von vom und für in im aus zur zum am mit"),
        defining_verbs: words("ist sind heißt heißen bedeutet bezeichnet bestand besteht sagt war"),
        abbreviations: words(
            "dr prof hr fr nr abb abs bd bzw ca d.h z.b u.a usw evtl ggf vgl s sog st str inkl \
             max min mio mrd jh geb z d h b u a o.ä etc kap aufl hrsg bspw tel",
        ),
        has_ordinal_dots: true,
        articles: words("der die das den dem des ein eine einen einem einer"),
        conjunction: "und",
        capitalizes_nouns: true,
        sentence_starts: weighted(SENTENCE_STARTS),
        sentence_start_phrases: weighted_phrases(SENTENCE_START_PHRASES),
        sentence_ends: weighted(SENTENCE_ENDS),
        subordinators: words(
            "wenn weil als da obwohl während nachdem bevor sobald solange falls indem damit bis je \
             seit ob wer ehe sofern",
        ),
        clause_starts: words(
            "und oder aber denn sondern weil dass wenn als wie ob obwohl während damit sodass bevor \
             nachdem bis wo welche welcher welches deren dessen nämlich sowie falls indem desto umso \
             also so dann um das die der wofür wodurch womit warum was",
        ),
        finite_verbs: words(FINITE_VERBS),
        subject_pronouns: words("ich du er sie es man wir ihr wer"),
        object_pronouns: words(
            "ich du er sie es man wir ihr sich mich dich uns euch ihn ihm ihnen mir dir",
        ),
        adverbial_starts: words(
            "in im am an auf bei beim mit ohne nach vor während unter über durch von vom aus zwischen \
             innerhalb für zu zum zur seit bis trotz wegen",
        ),
        infinitive_markers: HashSet::new(),
        verb_place: VerbPlace::Second,
        connectives: phrases(CONNECTIVES).into_iter().collect(),
        lead_ins: phrases(LEAD_INS).into_iter().collect(),
        topic_frames: phrases(TOPIC_FRAMES),
        topic_hints: phrases(TOPIC_HINTS),
        openers: words(
            "ähm äh hm so also ja gut okay jetzt nun dann und aber na nächstes weiter zuletzt erstens \
             zweitens drittens übrigens",
        ),
        fillers: words("ähm äh hm"),
        hedges: words("halt irgendwie sozusagen quasi übrigens"),
        asides: phrases(ASIDES).into_iter().collect(),
        // After others, the word order is that of a subordinate clause.
        presentations: phrases("das heißt, das bedeutet, das ist so, die sache ist, der trick ist, man sagt immer, ich sage immer")
            .into_iter()
            .collect(),
        // Verbs are recognized by their place.
        general_verbs: HashSet::new(),
        contrasts: words("aber nämlich allerdings jedoch dagegen hingegen also auch"),
        anaphora: words(
            "er es ihn ihm ihr ihre ihren ihrem ihrer ihres sein seine seinen seinem seiner seines dessen deren denen \
             beide beiden",
        ),
        pointers: words(
            "da dort dann hier so deshalb darum daher deswegen dabei dadurch dafür dagegen damit danach daran \
             darauf daraus darin darüber darunter davon davor dazu dazwischen sonst trotzdem dahin",
        ),
        demonstratives: words(
            "dies diese dieser dieses diesem diesen solche solcher solches solchen jene jener jenes jenem jenen",
        ),
        first_person: words(
            "ich mich mir mein meine meinen meinem meiner meines wir uns unser unsere unseren unserem unserer",
        ),
        // Others are followed by the verb.
        removable_starts: words("und aber oder denn"),
        // Nouns are recognized by their capital letters.
        verbs: HashSet::new(),
        adjectives: HashSet::new(),
        emphasis: phrases(EMPHASIS).into_iter().collect(),
        housekeeping_stems: HOUSEKEEPING_STEMS
            .iter()
            .flat_map(|&(weight, text)| text.split_whitespace().map(move |stem| (stem, weight)))
            .collect(),
        housekeeping_phrases: weighted_phrases(HOUSEKEEPING_PHRASES),
        dates: words(
            "montag dienstag mittwoch donnerstag freitag samstag sonntag januar februar märz april \
             mai juni juli august september oktober november dezember morgen übermorgen woche \
             wochenende uhr mitternacht vormittag nachmittag abend",
        ),
        second_person: words("sie ihnen ihre ihren ihr euch eure du dich dir jemand"),
        housekeeping_titles: HousekeepingTitles {
            opening: "Begrüßung und erste Hinweise",
            announcement: "Ankündigungen zur Veranstaltung",
            interruption: "Unterbrechung der Vorlesung",
            closing: "Hausaufgaben und Verabschiedung",
        },
    }
}

const FINITE_VERBS: &str = "bin bist ist sind seid war waren habe hast hat haben hatte hatten wäre wären \
     hätte hätten wird werden wurde wurden würde würden kann kannst können konnte konnten könnte könnten \
     muss müssen musste mussten müsste soll sollen sollte sollten will wollen wollte wollten darf dürfen \
     durfte mag möchte möchten lässt lassen ließ gibt gab geht ging kommt kam steht stand liegt lag heißt \
     hieß macht nimmt nahm bleibt blieb findet fand weiß sieht sah nennt nennen kommen betrachten schauen \
     gilt ergibt bekommt bekommen hält zeigt braucht entsteht folgt hab gehen wissen sehen denken glaube";

const SENTENCE_STARTS: &[(f64, &str)] = &[
    (1.8, "kommen wenden schauen betrachten sprechen reden"),
    (
        2.5,
        "stellen stellt merken merkt vergessen gut okay hallo guten \
         entschuldigung moment danke zuletzt zunächst erstens zweitens drittens",
    ),
    (
        1.0,
        "im beim am bei trotzdem heute jetzt genau dieser dieses solche \
         dabei daraus davon dafür damit umgekehrt zwischen innerhalb wenn \
         wo warum wer unser unsere darunter allerdings außerdem natürlich \
         vielleicht übrigens manchmal meistens leider eigentlich",
    ),
    (
        0.4,
        "von ich man wir er es ein eine in auf ohne nach vor mit für schon viele jeder jede jedes \
         manche sein seine nur um haben gibt der die so sie an was welche unter diese ihr \
         ihre beide alle einige mein meine hier dort darum deswegen bitte",
    ),
    (0.1, "dann da das deshalb auch"),
    (-0.8, "während obwohl als daher aber also"),
    (-2.0, "und denn weil wie bis ob"),
    (
        -3.5,
        "oder dass sondern nämlich zu deren dessen welcher welches desto sodass bevor \
         ist sind war waren hat wird werden wurde wurden den dem heißt erreicht nimmt geht kommt steht \
         liegt bleibt macht zeigt braucht findet hält führt bringt kann können muss müssen soll \
         sollen darf dürfen lässt sich nicht",
    ),
];

const SENTENCE_START_PHRASES: &[(f64, &str)] = &[
    (
        2.8,
        "zum abschluss, zum schluss, zu beginn, als nächstes, als erstes, als letztes, jetzt kommen, jetzt \
         sprechen, nun kommen, nun zu, kommen wir, wenden wir, schauen wir, betrachten wir, sprechen wir",
    ),
    (
        1.5,
        "und jetzt, und warum, und wie, aber wie, aber warum, aber was, wie kommt, wie funktioniert, \
         wie macht, wie kann, den ersten, den zweiten, \
         ist das, kann man, können wir, das heißt, das ist, das liegt, das bedeutet, zu diesem, zu dieser, \
         von da, von nun",
    ),
    (
        0.5,
        "und das, und dann, aber das, aber die, aber der, aber auch, als ich, als die, als der, also wenn, \
         also das, so ein, so eine, denn das",
    ),
    (
        -1.0,
        "so hat, so ist, so wird, so muss, so kommt, so bekommt, so steigt, so fällt, so verliert, \
         so gewinnt, so lässt, so kann",
    ),
    (
        -2.0,
        "so dass, so als, um zu, wie das, wie die, wie der, ohne dass, ohne zu, in denen, mit denen, von denen, \
         der sich, die sich, das sich, die man, den man, das man",
    ),
];

const SENTENCE_ENDS: &[(f64, &str)] = &[
    (
        -4.0,
        "der die das den dem des ein eine einen einem einer eines und oder aber dass weil \
         denn wenn als wie von vom zum zur im am beim in bei für ohne durch über unter \
         zwischen ihr ihre seine unser unsere kein keine sehr so je desto dieser diese dieses diesem diesen \
         sich abschluss nächstes nun jeder jede jedes mein meine deren dessen sondern um ob zu seinen ihren ihrem seinem \
         unseren unserem ins ans aufs gegen wegen trotz bevor nachdem obwohl während",
    ),
    (
        -1.5,
        "wir ich er sie es man jetzt genau noch auch nur schon mit auf an nach vor dann etwa ist sind \
         immer ganz mehr viel viele einige beide alle zwei drei vier fünf sechs sieben acht neun zehn elf \
         zwölf zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig hundert tausend \
         ersten zweiten neue neuen große großen kleine kleinen ziemlich eher besonders sogar fast",
    ),
    (
        0.8,
        "wird werden wurde wurden ab hat haben können konnte konnten war waren zurück \
         worden geworden gewesen",
    ),
];

const CONNECTIVES: &str = "aber, und, oder, also, deshalb, darum, daher, deswegen, denn, jedoch, trotzdem, \
             dennoch, außerdem, dabei, dadurch, damit, dafür, dagegen, davon, daraus, danach, \
             dann, sonst, auch, das, dies, diese, dieser, dieses, diesen, er, sie, es, sein, \
             seine, ihr, ihre, solche, solch, so, umgekehrt, allerdings, andererseits, zum \
             beispiel, ebenso, anschließend, schließlich, weil, ja, nein, aus diesem, auf diese weise, der zweite, \
             der dritte, der rest, beide, dazu, dem, den, deren, hier, dort, da";

const TOPIC_FRAMES: &str = "sprechen wir über, sprechen wir nun über, sprechen wir mal über, reden wir über, reden wir mal über, reden wir jetzt über, kommen wir nun zum, kommen wir nun zur, \
             kommen wir zum, kommen wir zur, kommen wir zu, kommen wir jetzt zu, jetzt kommen wir zu, jetzt kommen wir zur, \
             jetzt kommen wir zum, nämlich zum, nämlich zur, wenden wir uns jetzt, wenden wir uns nun, \
             wenden wir uns, betrachten wir, schauen wir uns, erstes thema heute ist, \
             nächstes thema ist, letztes thema ist, erstes thema ist, thema heute ist, müssen wir über, \
             ich möchte über, handelt von, geht es um, fangen heute mit, fangen an mit, beginnen mit, nämlich mit";

const TOPIC_HINTS: &str = "kommt der, kommt die, kommt das, kommen die, jetzt zu, jetzt zum, jetzt zur, nun zu, nun zum, nun \
             zur, was zu, was zum, was zur, was ist mit, was ist, was sind, gibt es noch, noch über, etwas \
             über, fragen nach, thema, nämlich die, nämlich der, nämlich das, wichtig ist, sind die";

const LEAD_INS: &str = "kommen wir, wenden wir, schauen wir, betrachten wir, sprechen wir, stellen wir, \
             stellen sie sich, unser erstes, unser nächstes, unser thema, als nächstes, \
             zunächst, zum abschluss, zum schluss, zuletzt, jetzt, nun, heute, was ist, was sind, was bedeutet, wie \
             funktioniert, warum, wie kommt, welche, bevor wir, nehmen wir, fangen wir, wir fangen, wir kommen, \
             ich möchte, die frage ist, das nächste thema, das letzte thema, das erste thema, wo bleibt";

const EMPHASIS: &str = "wichtig, merken, grund, bedeutet, heißt, nennen, nennt, folgt, folglich, prinzip, satz, \
             gesetz, deshalb, definition, unterschied, regel, genau, eigentliche, kern, ergebnis, darum, \
             besteht, versteht";

const ASIDES: &str = "na ja, naja, sag ich mal, ich sag mal, sage ich mal, ich sage mal, sagen wir, sagen wir mal, ich glaube, glaub ich, \
             glaube ich, passen sie auf, ja, also, wie gesagt, ehrlich gesagt, wissen sie, wie auch immer, sag ich immer, \
             das ist wichtig, ich meine, nicht wahr, oder, gell, so ungefähr, das stimmt, im grunde, im prinzip, mehr oder weniger, \
             wenn man so will, keine ahnung, wie soll ich sagen, bitte, ne";

const FUNCTION_WORDS: &str = "\
    der die das den dem des ein eine einen einem einer eines kein keine keinen keinem keiner \
    dieser diese dieses diesem diesen jener jene jenes jeder jede jedes jedem jeden mancher manche \
    manchen solche solchen solcher welche welcher welches welchen alle allem allen aller alles beide beiden \
    ich mich mir mein meine meinen meiner du dich dir dein deine er ihn ihm sein seine seinen seiner seinem \
    seines sie es ihr ihre ihren ihrer ihrem ihres wir uns unser unsere unseren unserem unserer euch euer \
    ihnen man sich wer wen wem wessen was etwas nichts niemand jemand jemandem einander runter rauf rüber raus rein selbst selber \
    bin bist ist sind seid war waren warst sei wäre wären gewesen habe hast hat haben habt hatte hatten \
    hätte hätten gehabt werde wirst wird werden wurde wurden würde würden geworden worden kann kannst \
    können konnte konnten könnte könnten muss müssen musste mussten müsste soll sollen sollte sollten \
    will wollen wollte wollten darf dürfen durfte durften mag mögen möchte möchten lässt lassen ließ \
    in im ins an am ans auf aufs aus bei beim mit nach seit von vom zu zum zur für gegen ohne um durch über \
    unter vor hinter neben zwischen während wegen trotz bis ab außer innerhalb außerhalb je pro gegenüber per \
    und oder aber denn sondern doch dass daß weil wenn als wie ob obwohl damit bevor nachdem sobald \
    solange falls indem sodass wo woher wohin warum wieso weshalb wann desto umso \
    nicht nie niemals immer oft manchmal meistens meist sehr zu auch nur noch schon erst sogar eben \
    gerade jetzt nun dann da hier dort so also deshalb daher darum deswegen trotzdem jedoch dennoch \
    allerdings außerdem dabei dadurch dafür dagegen daran darauf daraus darin davon dazu danach \
    daneben darunter darüber daran hin her hinein hinaus herein wieder ganz etwa ungefähr ziemlich \
    eher vielleicht wohl wirklich eigentlich einfach fast kaum genau bald später früher heute gestern \
    morgen zusammen anders sonst ja nein okay äh ähm hm ach na tja bitte danke zwar umgekehrt dagegen \
    übrigens freilich natürlich leider ebenfalls mehr weniger viel viele vielen wenig wenige mehrere \
    einige einigen anderes andere anderen anderer zweite zweiten dritte dritten erste ersten erstes nächste nächsten nächstes letzte letzten letztes";

const GENERAL_WORDS: &str = "\
    sagen sagt sagte fragen fragt nennen nennt nannte heißen heißt hieß machen macht machte nehmen \
    nimmt nahm geben gibt gab gehen geht ging kommen kommt kam bleiben bleibt blieb finden findet fand \
    wissen weiß denken dachte brauchen braucht brauchte sehen sieht sah zeigen zeigt zeigte stehen \
    steht stand stehen liegen liegt lag beginnen beginnt begann halten hält hielt bringen bringt brachte \
    sprechen spricht reden anfangen enden messen misst entstehen entsteht \
    ding dinge sache sachen art arten weise teil teile fall fälle beispiel beispiele frage fragen thema \
    themen grund gründe zeit zeiten tag tage tages jahr jahre jahren jahres woche wochen stunde stunden minute minuten mensch \
    menschen leute mann frau wort worte ende anfang mitte seite seiten schluss stelle \
    problem probleme gedanke stück stücke hälfte hauptgrund \
    zehntel menge antwort satz weg wege abschluss zahl moment \
    mal male sekunde sekunden monat monate jahrhundert meter metern zentimeter millimeter kilometer stundenkilometer \
    gramm kilo kilogramm tonne tonnen liter euro wahrheit quatsch trick elf zwölf dreizehn vierzehn fünfzehn sechzehn \
    siebzehn achtzehn neunzehn zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig viertel drittel \
    eins zwei drei vier fünf sechs sieben acht neun zehn hundert tausend million millionen null grad prozent \
    gut gute guten schlecht groß große großen großer großes größer klein kleine kleinen lang lange langen kurz kurze hoch \
    hohe neu neue neuen alt alte alten jung früh spät wichtig einfach schwer leicht ganze ganzen verschieden bestimmte besser beste \
    besonders gleich gleiche gleichen";

const HOUSEKEEPING_STEMS: &[(f64, &str)] = &[
    (
        2.2,
        "klausur hausaufgab übungsblatt übungsblätter sprechstunde mikrofon beamer tutorin tutorium \
         ankündigung abgabe hausarbeit sekretariat exkursion prüfung hörsaal moodle anwesenheit \
         verabschied teilnehmer organisatorisch treffpunkt",
    ),
    (
        1.6,
        "folien anmeld vorlesung seminar skript regenschirm laptop mail tagung ausnahmsweise \
         wiedersehen tschüss willkommen lehrbuch entschuldigung aufgaben",
    ),
    (
        0.8,
        "bitte danke fragen kapitel gruppe liste semester wochenende reihe online netz",
    ),
];

const HOUSEKEEPING_PHRASES: &[(f64, &str)] = &[
    (
        3.6,
        "guten morgen, guten tag, guten abend, herzlich willkommen, schön dass sie, verstehen sie mich, \
         hören sie mich, letzten reihe, ersten reihe, fangen wir gleich, fangen wir an, können wir beginnen, \
         das war es, noch fragen, vielen dank, danke schön, bis nächste woche, bis nächsten, \
         auf wiedersehen, schönes wochenende, die zeit ist, am ende, melden sie sich, tragen sie sich, \
         moment bitte, könnte jemand, setzen sie sich, sehr schön, für heute, ins netz, \
         nächste woche, diese woche, rechnen sie, lesen sie, wenn nicht",
    ),
    (
        1.2,
        "wie immer, um zwölf uhr, um neun uhr, in die liste, sieht man wieder, haben sie, \
         wenn sie interesse, ausgegangen, wer noch keine, treffen wir uns, verschoben worden",
    ),
];

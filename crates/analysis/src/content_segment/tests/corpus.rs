//! Short texts on one topic each, written for these tests. Each line is a
//! sentence.

/// Four topics in English.
pub(super) const ENGLISH: [&str; 4] = [
    "Let us begin with the way a leaf turns sunlight into sugar.
Inside the leaf there are tiny green bodies called chloroplasts, and they hold the pigment chlorophyll.
Chlorophyll catches red and blue light and throws the green light back, which is why a leaf looks green to us.
The energy of the light splits water into oxygen, protons and electrons.
The oxygen leaves through pores on the underside of the leaf, and we breathe it.
The electrons travel along a chain of proteins in the membrane of the chloroplast.
On the way they pump protons across the membrane, and those protons drive a little turbine that makes fuel for the cell.
In the second half of photosynthesis this fuel is spent to bind carbon dioxide from the air.
An enzyme takes the carbon dioxide and attaches it to a sugar with five carbon atoms.
After a few more steps the plant has a new sugar, and from that sugar it builds starch and cellulose.
A plant in the dark cannot make sugar this way, so at night it burns the starch of the day.
So remember that photosynthesis needs light, water and carbon dioxide, and gives us sugar and oxygen.",
    "Now I want to talk about what a central bank does when prices rise too fast.
When prices rise we speak of inflation, and inflation eats the value of savings.
The main tool of the bank is the interest rate, the price that commercial banks pay to borrow money overnight.
If the interest rate goes up, a loan becomes expensive for firms and for families.
A firm that finds the loan too expensive puts off the new factory, and a family puts off the new house.
With less spending the shops cannot raise prices as easily, and inflation slows down.
This takes time, usually more than a year, and that is what makes the work of the bank so hard.
If the bank waits too long, people expect inflation and ask for higher wages.
Higher wages raise the costs of firms, and the firms raise prices again.
If the bank raises the interest rate too far, spending collapses and people lose their jobs.
Savings are safer when inflation is low, but borrowers like a low interest rate.
So the bank must balance prices against jobs, and it never knows the future exactly.",
    "The next thing we need is a way to keep data sorted while it changes.
A sorted array is quick to search, because you can halve the range with every comparison.
But to insert a number into the array you must move everything behind it.
A binary search tree keeps each number in a node with two children.
Smaller numbers go into the left subtree and larger numbers go into the right subtree.
To search the tree you start at the root and walk down, one comparison at each node.
To insert a number you search for it, and where the search falls off the tree you hang a new node.
If the numbers come in sorted order the tree degenerates into a list, and the search is slow again.
A balanced tree repairs itself by rotation, where a child trades places with its parent node.
Every rotation keeps the order of the nodes but makes the tree less deep.
With a balanced tree both search and insert take a number of comparisons that grows like the logarithm.
So when you insert and search all the time, a balanced tree is better than a sorted array.",
    "Let me tell you how sailors found their position before there were satellites.
The latitude was easy, because the height of the pole star above the horizon gives it directly.
At noon you could also measure the height of the sun with a sextant and look up the latitude in a table.
The longitude was the great problem, and many ships were lost because of it.
The earth turns fifteen degrees of longitude in one hour, so longitude is really a question of time.
If a captain knows the time at home and the local time on the ship, the difference gives him the longitude.
But a pendulum clock does not work on a rolling ship, and the early clocks lost minutes every day.
A carpenter named Harrison spent his life to build a clock that kept time at sea.
His fourth clock looked like a large pocket watch, and on a voyage to Jamaica it lost only five seconds.
With such a clock a captain could sail straight to the harbour instead of searching along a latitude.
Other sailors used the moon, measured its distance from a star with the sextant and computed the time from tables.
So clock and sextant together gave the ship its position, anywhere on the ocean.",
];

/// Four topics in German.
pub(super) const GERMAN: [&str; 4] = [
    "Wir fangen heute mit den Vulkanen an und fragen, woher das Magma kommt.
Unter der Erdkruste liegt der Mantel, und dort ist das Gestein heiß, aber meistens fest.
Wo eine Platte unter die andere taucht, nimmt sie Wasser mit in die Tiefe.
Das Wasser senkt den Schmelzpunkt, und ein Teil vom Gestein schmilzt zu Magma.
Das Magma ist leichter als das Gestein ringsum und steigt langsam auf.
In einer Kammer unter dem Vulkan sammelt es sich, und dort lösen sich Gase.
Wenn der Druck der Gase zu groß wird, bricht der Vulkan aus.
Dünnes Magma fließt als Lava ruhig den Hang hinunter, so wie auf Hawaii.
Zähes Magma hält die Gase fest, und dann kommt es zu einer Explosion mit viel Asche.
Die Asche steigt viele Kilometer hoch und fällt später als feiner Staub auf die Felder.
Vor einem Ausbruch bebt am Vulkan die Erde, weil das Magma Risse ins Gestein drückt.
Deshalb messen die Leute dort die Beben und die Gase, um vor der Lava und der Asche zu warnen.",
    "Jetzt kommen wir zur Fuge, der strengsten Form in der Musik des Barock.
Eine Fuge beginnt mit einer einzigen Stimme, und diese Stimme stellt das Thema vor.
Danach setzt die zweite Stimme ein und spielt das Thema auf einer anderen Tonstufe.
Die erste Stimme schweigt dabei nicht, sondern spielt eine Gegenstimme zum Thema.
So kommen nach und nach alle Stimmen dazu, bis der Satz vollständig ist.
Zwischen den Einsätzen gibt es Zwischenspiele, in denen das Thema pausiert.
Der Komponist kann das Thema umkehren, so dass jeder Schritt nach oben zu einem Schritt nach unten wird.
Er kann es auch langsamer spielen lassen oder die Einsätze so eng führen, dass sie einander ins Wort fallen.
Bach hat in seinem letzten Werk gezeigt, was in einem kurzen Thema alles steckt.
Wer eine Fuge hört, sollte versuchen, dem Thema von Stimme zu Stimme zu folgen.
Am Schluss liegt oft ein langer Ton im Bass, und darüber klingt das Thema noch ein letztes Mal.
Die Fuge ist also ein Gespräch, in dem alle Stimmen über ein Thema reden.",
    "Als Nächstes sehen wir uns an, wie eine Impfung den Körper auf eine Krankheit vorbereitet.
Ein Virus trägt auf seiner Oberfläche Eiweiße, und an diesen Eiweißen erkennt ihn das Immunsystem.
Beim ersten Kontakt braucht das Immunsystem viele Tage, bis es genug Antikörper gebildet hat.
Die Antikörper heften sich an das Virus, so dass es keine Zelle mehr befallen kann.
Nach der Krankheit bleiben Gedächtniszellen im Blut zurück, manche davon ein Leben lang.
Kommt dasselbe Virus wieder, so bilden die Gedächtniszellen sehr schnell neue Antikörper.
Eine Impfung zeigt dem Immunsystem nur ein Eiweiß vom Virus, ohne dass die Krankheit ausbricht.
Früher nahm man dafür abgetötete Viren, heute reicht oft der Bauplan für das Eiweiß.
Die Zelle liest den Bauplan, stellt das Eiweiß her und zeigt es dem Immunsystem.
Manche Viren ändern ihre Eiweiße jedes Jahr, darum muss man gegen die Grippe immer wieder impfen.
Wenn sehr viele Menschen geimpft sind, findet das Virus keine Zelle mehr, die es befallen kann.
Die Impfung schützt so auch die, deren Immunsystem zu schwach für eigene Antikörper ist.",
    "Zum Schluss sprechen wir über Brücken und darüber, wie sie ihr Gewicht tragen.
Ein einfacher Balken biegt sich durch, oben wird er gedrückt und unten gezogen.
Stein verträgt viel Druck, aber fast keinen Zug, darum bauten die Römer ihre Brücken als Bogen.
Im Bogen gibt es nur Druck, und jeder Stein stützt sich auf seinen Nachbarn.
Der Bogen schiebt aber nach außen, also braucht er an beiden Ufern ein schweres Widerlager.
Stahl verträgt den Zug sehr gut, und erst mit Stahl wurden Hängebrücken möglich.
Bei einer Hängebrücke hängt die Fahrbahn an Seilen, und die Seile laufen über hohe Pfeiler.
Der Zug in den Seilen geht in die Verankerung am Ufer, der Druck geht durch die Pfeiler in den Boden.
Eine Hängebrücke ist weich, deshalb muss man ausrechnen, wie sie im Wind schwingt.
Eine Brücke in Amerika ist so stark ins Schwingen geraten, dass die Fahrbahn in den Fluss fiel.
Seitdem prüft man jede lange Brücke im Windkanal, bevor die Seile gespannt werden.
Balken, Bogen und Hängebrücke verteilen also Zug und Druck auf ganz verschiedene Weise.",
];

/// Two topics in Japanese, which is written without spaces.
pub(super) const JAPANESE: [&str; 2] = [
    "今日は地震がどうして起こるのかを説明します。
地球の表面はいくつかのプレートに分かれていて、プレートは少しずつ動いています。
海のプレートは陸のプレートの下に沈み込み、境界にひずみがたまります。
ひずみが限界に達すると、岩盤が急にずれて地震が起こります。
岩盤がずれた場所を震源といい、震源から地震の波が広がります。
最初に速い波が届き、その後に大きな揺れの波が届きます。
海の下で大きな地震が起こると、津波が来ることがあります。
プレートの動きを測ると、ひずみがたまっている場所がわかります。",
    "次はおいしい味噌汁の作り方の話です。
まず昆布を水に入れて、弱火でゆっくり出汁を取ります。
沸騰する前に昆布を取り出して、鰹節を入れます。
鰹節の出汁をこしたら、豆腐とわかめを鍋に入れます。
味噌は火を止めてから、出汁で溶いて鍋に入れます。
味噌を入れた後に沸騰させると、味噌の香りがなくなります。
豆腐は大きく切ると、味噌汁の中で崩れません。
最後に鍋の味噌汁を器に入れて、ねぎをのせます。",
];

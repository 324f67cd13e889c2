// @ts-check
// Clips are dragged to another place in their order, with a mouse or a finger. For keyboards there
// are buttons.

/** How close to the edge of the window the page scrolls, in pixels. */
const SCROLL_ZONE = 48;
/** How far it scrolls with each move of the pointer, in pixels. */
const SCROLL_STEP = 16;

/**
 * @typedef {object} Drag
 * @property {HTMLElement} card
 * @property {HTMLElement[]} before the cards in their order when the drag began
 * @property {number} pointerId
 * @property {Element | undefined} over the card that was reached last
 */

export class ClipDrag {
  /** @type {Drag | undefined} */
  #drag;

  /**
   * @param {HTMLElement} section the clips
   * @param {(card: HTMLElement, before: HTMLElement[]) => void} onDrop called with a card that is at
   *   another place now, and the order before
   */
  constructor(section, onDrop) {
    this.section = section;
    this.onDrop = onDrop;
    section.addEventListener("pointerdown", (event) => this.#grab(event));
    section.addEventListener("pointermove", (event) => this.#move(event));
    section.addEventListener("pointerup", (event) => this.#drop(event));
    section.addEventListener("pointercancel", () => this.#giveUp());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#giveUp();
    });
  }

  /** Whether a card is being dragged. */
  get isActive() {
    return this.#drag !== undefined;
  }

  /** Shows the cards in an order. @param {HTMLElement[]} cards */
  static arrange(cards) {
    cards[0]?.parentElement?.append(...cards);
  }

  get #cards() {
    return /** @type {HTMLElement[]} */ ([...this.section.querySelectorAll("li[data-clip-id]")]);
  }

  /** @param {PointerEvent} event */
  #grab(event) {
    const grip = event.target instanceof Element ? event.target.closest(".grip") : null;
    const card = grip?.closest("li");
    const isFree = !this.#drag && this.section.ariaBusy !== "true" && !this.section.querySelector("form");
    if (!card || event.button !== 0 || !isFree) return;
    // No selection of text begins.
    event.preventDefault();
    this.section.setPointerCapture(event.pointerId);
    this.#drag = { card, before: this.#cards, pointerId: event.pointerId, over: undefined };
    card.classList.add("is-dragged");
  }

  /** @param {PointerEvent} event */
  #move({ pointerId, clientX, clientY }) {
    const drag = this.#drag;
    if (drag?.pointerId !== pointerId) return;
    if (clientY < SCROLL_ZONE) window.scrollBy(0, -SCROLL_STEP);
    if (clientY > window.innerHeight - SCROLL_ZONE) window.scrollBy(0, SCROLL_STEP);
    const card = document.elementFromPoint(clientX, clientY)?.closest("li[data-clip-id]") ?? undefined;
    // After an exchange, the other card may still be under the pointer.
    if (card === drag.over) return;
    drag.over = card;
    if (card && card !== drag.card && this.section.contains(card)) this.#takePlaceOf(card, drag.card);
  }

  /**
   * Moves the cards between, and not the dragged one, which would lose its pointer.
   *
   * @param {Element} other
   * @param {HTMLElement} dragged
   */
  #takePlaceOf(other, dragged) {
    const cards = this.#cards;
    const [from, to] = [cards.indexOf(dragged), cards.findIndex((card) => card === other)];
    if (to > from) dragged.before(...cards.slice(from + 1, to + 1));
    else dragged.after(...cards.slice(to, from));
  }

  /** @param {PointerEvent} event */
  #drop({ pointerId }) {
    const drag = this.#drag;
    if (drag?.pointerId !== pointerId) return;
    this.#end(drag);
    const cards = this.#cards;
    if (drag.before.some((card, i) => card !== cards[i])) this.onDrop(drag.card, drag.before);
  }

  #giveUp() {
    const drag = this.#drag;
    if (!drag) return;
    this.#end(drag);
    ClipDrag.arrange(drag.before);
  }

  /** @param {Drag} drag */
  #end({ card, pointerId }) {
    this.#drag = undefined;
    card.classList.remove("is-dragged");
    if (this.section.hasPointerCapture(pointerId)) this.section.releasePointerCapture(pointerId);
  }
}

//! What all pages have in common.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::assets::{self, Asset, ICON, STYLE};
use crate::language::Language;

/// What the header of a page offers its reader besides the links for all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageHeader {
    /// A link to the page for operators.
    pub operation: bool,
    /// A button that ends the session of the browser.
    pub sign_out: bool,
}

/// A page, and where it is.
pub(crate) struct Layout<'a> {
    pub(crate) language: Language,
    pub(crate) title: &'a str,
    /// How many path segments the page is below the root of the service.
    pub(crate) depth: usize,
    /// The name of the script, without hash and extension.
    pub(crate) script: Option<&'static str>,
    /// A style sheet besides that of all pages.
    pub(crate) style: Option<&'static str>,
    pub(crate) header: PageHeader,
}

impl Layout<'_> {
    pub(crate) fn render(&self, content: &Markup) -> String {
        let words = self.language.words();
        let root = root(self.depth);
        let asset = |asset: &Asset| format!("{root}assets/{}", asset.name);
        let script = self.script.and_then(assets::script);
        let current = |name| (self.script == Some(name)).then_some("page");
        let page = html! {
            (DOCTYPE)
            html lang=(self.language.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="description" content=(words.description);
                    title { (self.title) " – Lectern" }
                    // A request for a style sheet would delay the first paint.
                    style { (PreEscaped(STYLE)) }
                    link rel="icon" type="image/svg+xml" href=(asset(&ICON));
                    @if let Some(style) = self.style {
                        style { (PreEscaped(style)) }
                    }
                    @if let Some(script) = script {
                        // The page is seen without them, but not without its styles.
                        @for module in &script.modules {
                            link rel="modulepreload" href=(format!("{root}assets/{module}")) fetchpriority="low";
                        }
                        script type="module" src=(asset(script)) fetchpriority="low" {}
                    }
                }
                body {
                    a .skip href="#content" { (words.skip_to_content) }
                    header .bar {
                        a .brand href=(root) {
                            // Not another file, which would be drawn as a document of its own.
                            (PreEscaped(&*ICON.content))
                            "Lectern"
                        }
                        nav aria-label="Lectern" {
                            a href=(root) aria-current=[current("recordings")] { (words.recordings) }
                            @if self.header.operation {
                                a href=(format!("{root}operation")) aria-current=[current("operation")] {
                                    (words.operation.title)
                                }
                            }
                            a href=(format!("{root}docs")) { (words.api) }
                        }
                        @if self.header.sign_out {
                            form .sign-out method="post" action=(format!("{root}logout")) {
                                button type="submit" { (words.sign_out) }
                            }
                        }
                        @if script.is_some() {
                            // What the scripts say about the connection, and about what takes long.
                            p #connection .connection role="status" data-lost=(words.connection_lost) {}
                            p #working .working role="status" data-text=(words.working) {}
                        }
                    }
                    main #content { (content) }
                }
            }
        };
        page.into_string()
    }
}

/// The relative address of the root of the service.
pub(crate) fn root(depth: usize) -> String {
    match depth {
        0 => "./".to_owned(),
        depth => "../".repeat(depth),
    }
}

/// What a page says.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// In the language of the reader.
    pub title: &'a str,
    /// In the language of the reader.
    pub text: &'a str,
    /// More about it in English, as the API says it.
    pub detail: Option<&'a str>,
}

/// A page that only says something, such as that a recording does not exist. `depth` is the
/// number of path segments between the page and the root of the service.
pub fn message_page(
    language: Language,
    depth: usize,
    header: PageHeader,
    message: Message<'_>,
) -> String {
    let content = html! {
        section .message {
            h1 { (message.title) }
            p { (message.text) }
            @if let Some(detail) = message.detail { p lang="en" { (detail) } }
            p { a href=(root(depth)) { (language.words().show_all) } }
        }
    };
    let layout = Layout {
        language,
        title: message.title,
        depth,
        script: None,
        style: None,
        header,
    };
    layout.render(&content)
}

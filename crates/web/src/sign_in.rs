//! The page that asks for a key, and that at the end of a session.

use maud::html;

use crate::language::Language;
use crate::layout::{Layout, PageHeader, root};

/// The page for requests without an accepted key. `depth` is the number of path segments between
/// the page and the root of the service.
pub fn sign_in_page(language: Language, depth: usize) -> String {
    let words = language.words();
    let content = html! {
        section .message {
            h1 { (words.sign_in_title) }
            p .needs-script { (words.sign_in) }
            p .without-script { (words.sign_in_without_script) }
            // Not by GET, which would put the key into the address.
            form #sign-in .sign-in.needs-script method="post" data-api={ (root(depth)) "api/v1/session" }
                data-not-accepted=(words.key_not_accepted) data-may-not-read=(words.key_may_not_read)
                data-failure=(words.failure) {
                label for="key" { (words.key) }
                input #key type="password" required autocomplete="current-password" spellcheck="false";
                button type="submit" { (words.sign_in_title) }
                p #problem .problem role="alert" {}
            }
        }
    };
    let layout = Layout {
        language,
        title: words.sign_in_title,
        depth,
        script: Some("sign_in"),
        style: None,
        header: PageHeader::default(),
    };
    layout.render(&content)
}

/// The page after signing out, which is at `/logout`.
pub fn signed_out_page(language: Language) -> String {
    let words = language.words();
    let content = html! {
        section .message {
            h1 { (words.signed_out_title) }
            p { (words.signed_out) }
            p { a href=(root(0)) { (words.sign_in_again) } }
        }
    };
    let layout = Layout {
        language,
        title: words.signed_out_title,
        depth: 0,
        script: None,
        style: None,
        header: PageHeader::default(),
    };
    layout.render(&content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_at_the_root_of_the_service() {
        let page = sign_in_page(Language::German, 1);
        for part in [
            "data-api=\"../api/v1/session\"",
            "method=\"post\"",
            "<h1>Anmelden</h1>",
            "src=\"../assets/sign_in-",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(sign_in_page(Language::English, 0).contains("data-api=\"./api/v1/session\""));
    }
}

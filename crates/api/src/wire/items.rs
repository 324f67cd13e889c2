//! Lists of any length in bodies.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use validator::Validate;

use crate::wire::json_object::Object;
use crate::wire::validation::{FieldError, FieldErrors};

thread_local! {
    static MAX_ITEMS: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Runs `read` with an upper bound of the items of every list that `read` deserializes. A
/// longer list is read to its end, but its items are not kept, and the list is invalid.
pub(crate) fn with_max_items<T>(max: usize, read: impl FnOnce() -> T) -> T {
    struct Reset(usize);

    impl Drop for Reset {
        fn drop(&mut self) {
            MAX_ITEMS.set(self.0);
        }
    }

    let _reset = Reset(MAX_ITEMS.replace(max));
    read()
}

/// The items of a list. Each item is validated as soon as it is deserialized. After an
/// invalid item, or when there are too many items, no items are kept, so that an invalid
/// body needs hardly more memory than its bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Items<T> {
    valid: Vec<T>,
    /// The errors of the items; their paths begin with the index.
    errors: FieldErrors,
    /// The number of items if there are too many.
    excess: Option<usize>,
}

impl<T> Items<T> {
    /// The items of a valid list.
    pub(crate) fn into_vec(self) -> Vec<T> {
        self.valid
    }

    /// The errors of the list, which is the value of `field`. The caller runs inside
    /// [`with_max_items`], so that the message has the right bound.
    pub(crate) fn errors(&self, field: &str) -> FieldErrors {
        match self.excess {
            Some(count) if self.errors.is_empty() => {
                let max = MAX_ITEMS.get();
                let message = format!("must have at most {max} items, not {count}");
                FieldError::new(field, message).into()
            }
            _ => self.errors.clone().below(field),
        }
    }
}

impl<T> Deref for Items<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.valid
    }
}

impl<'de, T: Deserialize<'de> + Validate> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ItemsVisitor(PhantomData))
    }
}

struct ItemsVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Validate> Visitor<'de> for ItemsVisitor<T> {
    type Value = Items<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Items<T>, A::Error> {
        let (max, mut count) = (MAX_ITEMS.get(), 0);
        let (mut items, mut errors) = (Vec::new(), FieldErrors::default());
        while let Some(Object(item)) = sequence.next_element::<Object<T>>()? {
            errors.add_item(count, &item);
            count += 1;
            if errors.is_empty() && count <= max {
                items.push(item);
            } else {
                items = Vec::new();
            }
        }
        Ok(Items {
            valid: items,
            errors,
            excess: Some(count).filter(|count| *count > max),
        })
    }
}

impl<T: JsonSchema> JsonSchema for Items<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Vec::<T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<T>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::silence_region::SilenceRegionsBody;
    use crate::wire::FieldError;
    use crate::wire::request::Request;

    fn errors(max: usize, regions: &serde_json::Value) -> Option<Vec<FieldError>> {
        let body = json!({ "regions": regions });
        let domain = SilenceRegionsBody::read_domain(body, max).unwrap();
        domain.err().map(|errors| errors.to_vec())
    }

    #[test]
    fn a_list_beyond_its_bound_is_one_error() {
        let region = json!({ "start_time": 0, "end_time": 1, "silence_type": "both" });
        assert_eq!(errors(3, &json!(vec![region.clone(); 3])), None);
        assert_eq!(
            errors(3, &json!(vec![region; 5])),
            Some(vec![FieldError::new(
                "regions",
                "must have at most 3 items, not 5"
            )])
        );
    }

    #[test]
    fn an_invalid_item_beyond_the_maximum_number_is_reported() {
        let valid = json!({ "start_time": 0, "end_time": 1, "silence_type": "both" });
        let invalid = json!({ "start_time": -1, "end_time": 1, "silence_type": "both" });
        let error = FieldError::new("regions[4].start_time", "must be 0 or more");
        assert_eq!(
            errors(3, &json!([valid, valid, valid, valid, invalid])),
            Some(vec![error])
        );
    }
}

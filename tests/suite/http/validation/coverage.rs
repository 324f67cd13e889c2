//! Compares the tables of fields with the OpenAPI document.

use std::collections::BTreeSet;

use lectern_api::openapi;
use lectern_domain::ContentSegmentId;
use serde_json::Value;
use uuid::Uuid;

use super::{bodies, queries, uploads, work};
use crate::http::support::UNKNOWN_ID;

#[test]
fn the_tables_cover_every_field_and_parameter() {
    let segment_id = ContentSegmentId::from(Uuid::nil());
    let bodies = [
        bodies::job(),
        bodies::job_of_source(UNKNOWN_ID),
        bodies::rerun(),
        bodies::change(),
        bodies::progress(),
        bodies::transcripts("PUT"),
        bodies::transcripts("POST"),
        bodies::subtitles(),
        bodies::silence_regions(),
        bodies::layout_analysis(),
        bodies::content_segments(),
        bodies::clips(segment_id, segment_id),
        bodies::new_clip(),
        bodies::clip_update(),
        bodies::transcript_segment_update(),
        bodies::content_segment_update(),
        bodies::log(),
        uploads::announcement(),
        uploads::confirmation(UNKNOWN_ID),
        work::claim(),
        work::heartbeat(),
        work::failure(),
    ];
    let of_bodies = bodies.iter().flat_map(|endpoint| {
        endpoint
            .fields
            .iter()
            .map(|field| format!("{} {} {}", endpoint.method, endpoint.path, field.path))
    });
    // The alternative to a recording of its own.
    let of_bodies = of_bodies.chain(["POST /api/v1/jobs source_job_id".to_owned()]);
    // The tests of the stages send invalid notes.
    let notes = ["notes", "notes[0].level", "notes[0].message"];
    let notes = notes.map(|field| format!("POST /api/v1/work/{{lease_id}}/complete {field}"));
    let of_bodies = of_bodies.chain(notes);
    // The tests of the crate with the bodies send invalid results, and those of objects of
    // workers invalid names, sizes and keys.
    let of_workers = [
        "complete video_duration",
        "complete video_metadata",
        "complete transcript_source",
        "complete clip_files",
        "complete clip_files[0].clip_id",
        "complete clip_files[0].s3_key",
        "complete clip_files[0].thumbnail_s3_key",
        "complete clip_files[0].subtitle_s3_key",
        "complete clip_files[0].cut_record",
        "complete highlight_s3_key",
        "objects filename",
        "objects file_size",
    ];
    let of_workers = of_workers.map(|field| format!("POST /api/v1/work/{{lease_id}}/{field}"));
    let of_bodies = of_bodies.chain(of_workers);
    let key_of_worker = "GET /api/v1/work/{lease_id}/objects ?s3_key".to_owned();
    let of_bodies = of_bodies.chain([key_of_worker]);
    // The tests of watch tokens send invalid lifetimes.
    let lifetime = "POST /api/v1/jobs/{job_id}/watch-token expires_in_seconds".to_owned();
    let of_bodies = of_bodies.chain([lifetime]);
    let of_queries = queries::ENDPOINTS.iter().flat_map(|endpoint| {
        endpoint.parameters.iter().map(|(name, _)| {
            // A parameter of a map has the name of the map in the document.
            let name = name.split('.').next().unwrap_or(name);
            format!("GET {} ?{name}", endpoint.path)
        })
    });
    let in_tables: BTreeSet<String> = of_bodies.chain(of_queries).collect();

    let document = openapi::document();
    let mut described = BTreeSet::new();
    for (method, path) in openapi::routes() {
        let operation = &document["paths"][path][method.to_lowercase()];
        let route = format!("{method} {path}");
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        describe(&document, schema, &format!("{route} "), &mut described);
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        // Signed URLs are valid as a whole or not at all.
        let is_signed = route.contains("/objects/");
        let in_query = parameters.filter(|parameter| parameter["in"] == "query" && !is_signed);
        described.extend(
            in_query.map(|parameter| format!("{route} ?{}", parameter["name"].as_str().unwrap())),
        );
    }
    assert_eq!(in_tables, described);
}

/// Collects the paths of all fields of a schema.
fn describe(document: &Value, schema: &Value, path: &str, fields: &mut BTreeSet<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        return describe(
            document,
            document.pointer(reference.trim_start_matches('#')).unwrap(),
            path,
            fields,
        );
    }
    if let Some(one_of) = schema["anyOf"].as_array() {
        // Whisper's formats are parsed leniently and have their own tests.
        let documented_in_full = |schema: &&Value| schema["$ref"].is_string();
        return one_of
            .iter()
            .filter(documented_in_full)
            .for_each(|schema| describe(document, schema, path, fields));
    }
    let types = schema["type"].as_array().into_iter().flatten();
    let is_list = schema["type"] == "array" || types.into_iter().any(|kind| kind == "array");
    if schema["items"].is_object() && is_list {
        return describe(document, &schema["items"], &format!("{path}[0]"), fields);
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        let field = if path.ends_with(' ') {
            format!("{path}{name}")
        } else {
            format!("{path}.{name}")
        };
        describe(document, schema, &field, fields);
        fields.insert(field);
    }
}

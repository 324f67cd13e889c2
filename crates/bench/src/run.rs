//! A whole run: everything in turn, round after round.

use std::process::ExitCode;

use anyhow::Result;

use crate::arguments::{Arguments, Plan, Workload};
use crate::environment::{Machine, PostgresPrograms, raise_open_file_limit};
use crate::report::{self, Results};
use crate::stack::{Cluster, Lectern, Peers};
use crate::{limit, stack, workload};

/// What is measured in each round.
struct Stacks {
    lectern: Lectern,
    /// Absent in a smoke run without PostgreSQL's programs.
    cluster: Option<Cluster>,
    /// Absent in a smoke run if they are not installed.
    peers: Option<Peers>,
}

/// Measures, reports, and fails if anything failed.
pub(crate) async fn run(arguments: &Arguments) -> Result<ExitCode> {
    let plan = Plan::new(arguments);
    raise_open_file_limit(4_096)?;
    let stacks = Stacks::set_up(arguments, &plan)?;
    let mut results = Results::default();
    for round in 1..=plan.rounds {
        eprintln!("round {round} of {}", plan.rounds);
        stacks.measure(&plan, &mut results).await;
    }
    if plan.includes(Workload::Growth) {
        for cluster in stacks.databases() {
            let grown = workload::growth(&stacks.lectern, cluster, &plan, &mut results).await;
            results.check("growth", grown);
        }
    }
    let machine = stacks.machine();
    if !arguments.only.is_empty() {
        eprintln!("{}", report::text(&results, &machine, &plan));
    } else if !plan.smoke {
        let output = arguments
            .output
            .clone()
            .unwrap_or_else(|| stack::workspace().join("docs/performance"));
        report::write(&results, &machine, &plan, &output)?;
        eprintln!("{} is written", output.join("table.md").display());
    }
    let errors = results.errors();
    for error in &errors {
        eprintln!("failed: {error}");
    }
    Ok(if errors.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Stacks {
    fn set_up(arguments: &Arguments, plan: &Plan) -> Result<Self> {
        let programs = PostgresPrograms::find();
        if !plan.smoke {
            Peers::install()?;
        }
        let cluster = match programs {
            Ok(programs) => Some(Cluster::start(programs)?),
            Err(error) if plan.smoke => {
                eprintln!("only on SQLite: {error:#}");
                None
            }
            Err(error) => return Err(error),
        };
        let peers = Peers::installed()?;
        if peers.is_none() {
            eprintln!("without the peers, which are not installed");
        }
        let lectern = Lectern::find(arguments)?;
        Ok(Self {
            lectern,
            cluster,
            peers,
        })
    }

    fn machine(&self) -> Machine {
        let mut versions = vec![("lectern", self.lectern.version())];
        if let Some(cluster) = &self.cluster {
            versions.push(("PostgreSQL", cluster.programs().version()));
        }
        if let Some(peers) = &self.peers {
            versions.push(("peers", peers.versions()));
        }
        Machine::read(versions)
    }

    /// The databases of Lectern: PostgreSQL's cluster, or none for SQLite.
    fn databases(&self) -> Vec<Option<&Cluster>> {
        let postgres = self.cluster.as_ref().map(Some);
        postgres.into_iter().chain([None]).collect()
    }

    /// One round. Only one server runs at a time, except for watchers of another server.
    async fn measure(&self, plan: &Plan, results: &mut Results) {
        for cluster in self.databases() {
            let measured = self.measure_lectern(cluster, plan, results).await;
            results.check("lectern", measured);
            let measured = self.measure_limit(cluster, plan, results);
            results.check("limit", measured);
        }
        if let Some((peers, cluster)) = self.peers.as_ref().zip(self.cluster.as_ref()) {
            let measured = measure_peers(peers, cluster, plan, results).await;
            results.check("peers", measured);
        }
        if plan.includes(Workload::ColdStart) {
            let measured = workload::lectern_cold_start(&self.lectern, plan, results);
            results.check("cold start", measured);
        }
    }

    async fn measure_lectern(
        &self,
        cluster: Option<&Cluster>,
        plan: &Plan,
        results: &mut Results,
    ) -> Result<()> {
        if plan.includes_any(&workload::HTTP) {
            let server = self.lectern.serve(&self.lectern.new_database(cluster)?)?;
            workload::http(&workload::HTTP, &server, plan, results).await?;
        }
        if cluster.is_none() && plan.includes_any(&workload::RELAXED) {
            let database = self.lectern.new_database(cluster)?;
            let server = self
                .lectern
                .serve_with(&database, &["--durability", "relaxed"])?;
            workload::http(&workload::RELAXED, &server, plan, results).await?;
        }
        if plan.includes_any(&[Workload::Claim, Workload::Queue]) {
            let database = self.lectern.new_database(cluster)?;
            let server = self.lectern.serve(&database)?;
            workload::claims(&server, &database, plan, results).await?;
        }
        if plan.includes(Workload::Watchers) {
            let database = self.lectern.new_database(cluster)?;
            let server = self.lectern.serve(&database)?;
            workload::watchers(&server, &server, plan, results).await;
            let other = self.lectern.serve(&database)?;
            workload::watchers(&server, &other, plan, results).await;
        }
        Ok(())
    }

    fn measure_limit(
        &self,
        cluster: Option<&Cluster>,
        plan: &Plan,
        results: &mut Results,
    ) -> Result<()> {
        if !plan.includes_any(&workload::HTTP)
            && !plan.includes_any(&[Workload::Claim, Workload::Queue])
        {
            return Ok(());
        }
        let database = self.lectern.new_database(cluster)?;
        limit::pgbench(&database, plan, results)?;
        limit::sqlite(&database, plan, results)
    }
}

async fn measure_peers(
    peers: &Peers,
    cluster: &Cluster,
    plan: &Plan,
    results: &mut Results,
) -> Result<()> {
    if plan.includes_any(&workload::HTTP) {
        let server = peers.serve(cluster)?;
        workload::http(&workload::HTTP, &server, plan, results).await?;
    }
    if plan.includes(Workload::ColdStart) {
        workload::peer_cold_start(peers, cluster, plan, results)?;
    }
    workload::queue_peer(peers, cluster, plan, results)
}

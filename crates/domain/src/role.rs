//! What a key is for: its role, which decides its scopes.

use std::ops::RangeInclusive;

use crate::scope::Scope;
use crate::value::string_enum::string_enum;

string_enum! {
    /// The role of a key.
    Role {
        /// May do everything.
        Admin = "admin",
        /// A program that creates jobs and uses their results.
        Client = "client",
        /// A program that works on stages.
        Worker = "worker",
        /// Someone who watches jobs, but changes nothing.
        Viewer = "viewer",
        /// A monitoring system.
        Metrics = "metrics",
    }
}

impl Role {
    /// The scopes of a key with this role.
    pub const fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Admin => Scope::ALL,
            Self::Client => &[Scope::JobsRead, Scope::JobsWrite, Scope::OutputsWrite],
            Self::Worker => &[Scope::JobsRead, Scope::OutputsWrite, Scope::Work],
            Self::Viewer => &[Scope::JobsRead],
            Self::Metrics => &[Scope::Metrics],
        }
    }

    /// The lowest and the highest priority that a key with this role may give a job, except for
    /// admins, who may give any: so there is always a priority above those of all clients, and
    /// one below.
    pub const PRIORITIES: RangeInclusive<i32> = -1_000..=1_000;

    /// The priorities that a key with this role may give a job.
    pub const fn priorities(self) -> RangeInclusive<i32> {
        match self {
            Self::Admin => i32::MIN..=i32::MAX,
            _ => Self::PRIORITIES,
        }
    }

    /// Whether a key with this role has the scope.
    pub fn has(self, scope: Scope) -> bool {
        self.scopes().contains(&scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_but_those_of_the_audit_and_of_pauses_belongs_to_a_role_besides_admin() {
        for scope in Scope::ALL {
            let roles = Role::ALL.iter().filter(|role| role.has(*scope));
            let is_for_admins = [Scope::AuditRead, Scope::WorkManage].contains(scope);
            assert_eq!(roles.count() >= 2, !is_for_admins, "{scope}");
        }
    }

    #[test]
    fn only_admin_has_all_scopes() {
        for role in Role::ALL {
            let has_all = Scope::ALL.iter().all(|scope| role.has(*scope));
            assert_eq!(has_all, *role == Role::Admin, "{role}");
        }
    }
}

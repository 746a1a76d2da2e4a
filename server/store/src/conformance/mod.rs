//! What every engine must do, written once. An engine's tests implement [`Engine`] and call
//! [`conformance_tests!`](crate::conformance_tests), which makes one `#[tokio::test]` of each behaviour.
#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests, run by the engines' crates")]

pub mod clock;
pub mod directory;
mod fixtures;
pub mod lists;
pub mod log;
pub mod mail;
pub mod outbox;
pub mod personnel;
pub mod retention;

use crate::{Clocks, Directory, EventLog, Lists, Mail, Outbox, Personnel, Retention};
use async_trait::async_trait;

/// How the suite gets stores.
#[async_trait]
pub trait Engine: Send + Sync {
    /// The store under test
    type Store: EventLog + Outbox + Directory + Lists + Retention + Mail + Personnel + Clocks;

    /// A store with nothing in it, that no other test sees.
    async fn fresh(&self) -> Self::Store;

    /// Ends the process that has the store open, as far as the store can tell, and opens the same data again.
    async fn reopen(&self, store: Self::Store) -> Self::Store;
}

/// One `#[tokio::test]` per behaviour, over the engine that the expression makes.
#[macro_export]
macro_rules! conformance_tests {
    ($engine:expr) => {
        $crate::conformance_tests!(@of $engine, log:
            events_come_back_in_order_after_any_position,
            a_taken_position_is_named_and_nothing_of_its_batch_is_stored,
            a_position_twice_in_one_batch_is_refused,
            a_large_batch_is_stored_whole,
            a_hole_in_a_stream_is_damage,
            an_older_lease_is_fenced,
            a_batch_is_stored_whole_or_not_at_all,
            a_refused_part_is_named_and_the_rest_can_be_sent_again,
            a_session_is_sealed_once,
            an_approval_needs_its_record,
            the_newest_summary_counts,
            the_last_mark_is_of_the_process_before,
            what_was_acknowledged_survives_a_restart,
        );
        $crate::conformance_tests!(@of $engine, outbox:
            a_claim_holds_until_it_runs_out,
            a_claim_takes_the_longest_due_up_to_its_limit,
            an_approval_waits_for_the_receipt_of_its_record,
            a_retry_waits_until_its_time,
            a_receipt_closes_for_good,
            a_refusal_waits_for_a_person_and_a_late_receipt_still_closes_it,
            an_unknown_message_is_not_found,
            the_backlog_counts_what_is_not_accepted,
        );
        $crate::conformance_tests!(@of $engine, directory:
            centres_are_unique_by_bin_and_sorted_by_name,
            logins_are_unique_in_the_installation,
            staff_of_lists_one_centre_by_login,
            a_setup_token_works_once_and_in_time,
            a_new_password_ends_every_sign_in,
            a_sign_in_ends_by_time_by_sign_out_and_for_the_disabled,
            a_sign_in_is_renewed_by_keeping_it_again,
            what_is_over_is_purged,
            a_bank_version_is_immutable,
            a_programme_version_is_immutable,
            another_centres_rows_are_not_found,
            lists_hold_the_own_centre_newest_first,
            candidates_keep_their_places_and_come_once,
            candidates_come_all_or_none,
            many_candidates_come_at_once,
            a_session_row_holds_everything,
            the_newest_trial_run_of_a_session_stands,
            a_sitting_is_changed_by_version_and_every_change_is_kept,
            a_moved_sitting_is_what_its_sessions_are_opened_with,
            a_sitting_takes_no_more_than_it_has_room_for,
            a_candidate_is_changed_by_version_and_every_change_is_kept,
            a_voided_attempt_is_replaced_once,
            the_audit_log_lists_one_centre_newest_first,
            notes_of_a_shift_are_listed_newest_first,
            the_directory_survives_a_restart,
        );
        $crate::conformance_tests!(@of $engine, personnel:
            other_roles_and_being_disabled_end_sign_ins,
            a_member_of_staff_is_edited_by_whoever_saw_the_newest,
            nobody_takes_the_last_head_away,
            a_profile_is_saved_once_by_whoever_saw_the_newest,
            a_second_factor_is_confirmed_once_and_each_code_used_once,
            a_rule_asks_for_a_second_factor_by_role,
            the_audit_log_is_read_page_by_page_and_by_what_is_asked_for,
        );
        $crate::conformance_tests!(@of $engine, lists:
            results_are_sorted_by_any_column,
            results_are_searched_and_come_in_parts,
            sittings_are_sorted_searched_and_come_in_parts,
            plots_are_counted_from_attempts_that_count,
            a_centres_standing_counts_its_rows_and_messages,
        );
        $crate::conformance_tests!(@of $engine, clock:
            marks_come_in_order_with_the_last_of_each_source_before,
        );
        $crate::conformance_tests!(@of $engine, mail:
            a_letter_is_one_senders_until_its_claim_runs_out,
            a_settled_letter_stays_settled,
            letters_are_listed_for_their_centre_and_by_whom_they_are_about,
        );
        $crate::conformance_tests!(@of $engine, retention:
            a_hold_is_placed_once_and_lifted_once,
            nothing_is_erased_under_a_hold,
            an_erasure_goes_step_by_step_and_each_step_once,
            sessions_are_listed_until_everything_of_them_is_erased,
        );
    };
    (@of $engine:expr, $noun:ident: $($behaviour:ident,)+) => {
        mod $noun {
            use super::*;

            $(
                #[tokio::test]
                async fn $behaviour() {
                    $crate::conformance::$noun::$behaviour(&$engine).await;
                }
            )+
        }
    };
}

//! Access logs of load balancers: what rules name is edited, and nothing else.

use proptest::prelude::*;

use super::scrubbed;

const RULES: &str = r#"
[[rule]]
name = "client"
field = ["client_port"]
action = "redact"

[[rule]]
name = "agent"
field = ["user_agent", "domain_name"]
action = "drop"

[[rule]]
name = "user"
field = ["request.query.user"]
action = "redact"
"#;

proptest! {
    #[test]
    fn rules_on_columns_edit_those_alone(
        kind in "https?|h2|wss?",
        port in "[0-9]{1,5}",
        durations in "(-1|0\\.[0-9]{3}) 0\\.[0-9]{3} (-1|0\\.[0-9]{3})",
        user in "[a-z%.]{1,6}",
        agent in "[a-zA-Z0-9 ()/;.]{1,12}|say \\\\x22hi\\\\x22",
        domain in "-|[a-z.]{1,9}",
        more in "| \"-\" 0 2023-04-26T12:22:48.364000Z \"forward\" \"-\"",
    ) {
        let client = format!("203.0.113.7:{port}");
        let record = |client: &str, user: &str, agent: &str, domain: &str| format!(
            "{kind} 2023-04-26T12:23:00.186641Z app/lb/1 {client} 192.0.2.1:80 {durations} 200 - 0 57 \"GET http://x:80/?user={user}&a=b HTTP/1.1\" \"{agent}\" - - arn:x \"Root=1\" \"{domain}\"{more}"
        );
        let left = record("[field]", "[field]", "-", "-");
        prop_assert_eq!(scrubbed(RULES, &record(&client, &user, &agent, &domain)), left);
    }
}

//! The client behind a user agent: the product token that the catalogue knows, else the first word.
//!
//! Matching goes by product token, not by the leading word: both PowerShells begin with `Mozilla/5.0`
//! and are no browsers. Source: facts, section 9, and the clients table of the catalogue.

/// Product tokens in the order they are tried: the narrower before the wider.
const PRODUCTS: &[(&str, &str)] = &[
    ("terraform-provider-azuredevops", "Terraform provider"),
    ("azure-devops-go-api", "Go SDK"),
    ("AzureDevOps.MCP/", "Azure DevOps MCP server"),
    ("azure-devops-node-api", "Node SDK"),
    ("devOpsCli/", "az devops CLI"),
    ("azure-devops/", "Python SDK"),
    ("(Service=", "Azure DevOps service"),
    ("TFS JobAgent(", "Azure DevOps job agent"),
    ("VstsAgentCore-Plugin/", "Pipelines agent plugin"),
    ("VstsAgentCore-", "Pipelines agent"),
    ("vsts-agent-git/", "git in Pipelines agent"),
    ("Git-Credential-Manager/", "Git Credential Manager"),
    ("git-lfs/", "git-lfs"),
    ("VSServices/", ".NET client"),
    ("Team Module/", "VSTeam module"),
    ("WindowsPowerShell/", "Windows PowerShell"),
    ("PowerShell/", "PowerShell"),
    ("Scuba", "Sentinel connector"),
    ("PostmanRuntime/", "Postman"),
    ("python-requests/", "python-requests"),
    ("Go-http-client/", "Go net/http"),
    ("NuGet ", "NuGet"),
    ("npm/", "npm"),
    ("axios/", "axios"),
    ("curl/", "curl"),
    ("git/", "git"),
];

/// Words that name a rendering engine, as Sentinel's browser rule lists them.
const ENGINES: &[&str] = &["Gecko", "WebKit", "Presto", "Trident", "EdgeHTML", "Blink"];

/// Returns the client that a user agent stands for, without its version; empty for an empty agent.
#[must_use]
pub fn client_of(user_agent: &str) -> &str {
    let user_agent = user_agent.trim();
    if user_agent.is_empty() {
        return "";
    }
    if names_attack_tool(user_agent) {
        return ATTACK_TOOL;
    }
    if let Some((_, name)) = PRODUCTS.iter().find(|(token, _)| user_agent.contains(token)) {
        return name;
    }
    if is_browser(user_agent) {
        return "browser";
    }
    let end = user_agent.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(user_agent.len());
    without_version(&user_agent[..end])
}

/// The name that [`client_of`] gives ADOKit.
pub const ATTACK_TOOL: &str = "ADOKit (attack tool)";

/// Whether the agent names ADOKit as a word of its own: "adokitchen-sync" is somebody's kitchen.
fn names_attack_tool(user_agent: &str) -> bool {
    let lower = user_agent.to_ascii_lowercase();
    lower.match_indices("adokit").any(|(at, word)| {
        let apart = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphabetic());
        apart(lower[..at].chars().next_back()) && apart(lower[at + word.len()..].chars().next())
    })
}

/// Cuts a version off the end of a word, so that an upgrade is no new client: "release-bot-2.3.1" is "release-bot".
fn without_version(word: &str) -> &str {
    let bare = word.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '_' | '+'));
    if bare.is_empty() || bare.len() == word.len() { word } else { bare }
}

/// Tells whether `client` is a name that [`client_of`] gives of its own, not a word of somebody's agent.
#[must_use]
pub fn is_product(client: &str) -> bool {
    client == "browser" || client == ATTACK_TOOL || PRODUCTS.iter().any(|(_, name)| *name == client)
}

/// Tells whether a user agent names a rendering engine and no product of the catalogue.
#[must_use]
pub fn is_browser(user_agent: &str) -> bool {
    ENGINES.iter().any(|word| user_agent.contains(word))
        && !PRODUCTS.iter().any(|(token, _)| user_agent.contains(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_clients() {
        for (agent, client) in [
            ("", ""),
            ("curl/8.4.0", "curl"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Microsoft Windows 10.0.22631; en-US) PowerShell/7.4.1",
                "PowerShell",
            ),
            (
                "Mozilla/5.0 (X11; Linux) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
                "browser",
            ),
            (
                "go/go1.22.0 (linux amd64) azure-devops-go-api/7.1.0 terraform-provider-azuredevops/1.2.0",
                "Terraform provider",
            ),
            ("backup-audit/1.4 (+https://wiki)", "backup-audit"),
            ("release-bot-2.3.1", "release-bot"),
            ("Java1.8.0_292", "Java"),
            ("7", "7"),
            ("ADOKit-21e233d4334f9703d1a3a42b6e2efd38", ATTACK_TOOL),
            ("adokit/2", ATTACK_TOOL),
            ("adokitchen-sync/1.0", "adokitchen-sync"),
        ] {
            assert_eq!(client_of(agent), client, "{agent}");
        }
    }
}

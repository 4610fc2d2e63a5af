//! What a client calls itself: a family, a machine and a version in, a user agent out.
//!
//! The forms are those of the facts, section 9; machines and versions are made up.

/// A kind of client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Terraform,
    GoSdk,
    PythonSdk,
    AzCli,
    Requests,
    Curl,
    Node,
    VsTeam,
    PowerShell,
    WindowsPowerShell,
    DotNet,
    BuildAgent,
    Git,
    NuGet,
    Axios,
    GoHttp,
    Postman,
    AgentServer,
    Browser,
    AttackTool,
    Toolkit,
}

/// Length at which the service was seen to cut a long agent text.
const AGENT_TEXT_CUT: usize = 129;

/// Writes the user agent of a client after `step` upgrades on the machine numbered `machine`.
pub(super) fn user_agent(family: Family, machine: usize, step: usize) -> String {
    let linux = ["5.15.0-1071", "6.5.0-1025", "6.8.0-1015", "5.10.102.1"][machine % 4];
    let windows = ["10.0.19045", "10.0.22631", "10.0.20348", "10.0.26100"][machine % 4];
    let text = match family {
        Family::Terraform => format!(
            "go/go1.22.{} (linux amd64) azure-devops-go-api/7.1.0 terraform-provider-azuredevops/1.{}.0",
            step,
            2 + step
        ),
        Family::GoSdk => format!("go/go1.21.{} (linux amd64) azure-devops-go-api/7.1.0", 5 + step),
        Family::PythonSdk => {
            format!("python/3.10.{} (Linux-{linux}) msrest/0.7.1 azure-devops/7.1.0b4", 12 + step)
        }
        Family::AzCli => format!(
            "python/3.11.{} (Windows-10-{windows}-SP0) msrest/0.7.1 azure-devops/5.1.0b4 devOpsCli/0.{}.0",
            5 + step,
            25 + step
        ),
        Family::Requests => format!("python-requests/2.{}.0", 28 + machine % 3 + step),
        Family::Curl => format!("curl/8.{}.0", 2 + machine % 4 + step),
        Family::Node => format!("azure-devops-node-api/12.{}.0 (linux {linux})", 1 + step),
        Family::VsTeam => format!("Team Module/7.15.{} (Windows) PowerShell/7.4.{}", 1 + step, 1 + step),
        Family::PowerShell => {
            format!(
                "Mozilla/5.0 (Windows NT 10.0; Microsoft Windows {windows}; en-US) PowerShell/7.4.{}",
                1 + step
            )
        }
        Family::WindowsPowerShell => format!(
            "Mozilla/5.0 (Windows NT; Windows NT 10.0; de-DE) WindowsPowerShell/5.1.19041.{}",
            3_803 + 200 * step
        ),
        Family::DotNet => {
            format!("VSServices/19.225.{}.1 (NetStandard; Microsoft Windows {windows})", 33_000 + 107 * step)
        }
        Family::BuildAgent => format!(
            "VSServices/16.205.33000.0 (NetStandard; Linux {linux}-azure #{} SMP) VstsAgentCore-linux-x64/3.{}.1 (Linux {linux}-azure)",
            80 + machine % 9,
            236 + step
        ),
        Family::Git => format!("git/2.{}.{}", 43 + step, machine % 3),
        Family::NuGet => {
            format!("NuGet .NET Core MSBuild Task/6.{}.0 (Microsoft Windows {windows})", 8 + step)
        }
        Family::Axios => format!("axios/1.{}.2", 6 + step),
        Family::GoHttp => "Go-http-client/1.1".to_owned(),
        Family::Postman => format!("PostmanRuntime/7.{}.0", 36 + step),
        Family::AgentServer => {
            format!("AzureDevOps.MCP/2.{}.0 (local) review-helper/1.{}", 3 + step, machine % 5)
        }
        Family::Browser => match machine % 3 {
            0 => format!(
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36",
                139 + step
            ),
            1 => {
                format!("Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0", 141 + step)
            }
            _ => format!(
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.{step} Safari/605.1.15"
            ),
        },
        // A tool of the house whose name only sounds like one of the known bad ones.
        Family::Toolkit => format!("ado-toolkit/1.{}.0 python-requests/2.31.0", 4 + step),
        Family::AttackTool => "ADOKit-21e233d4334f9703d1a3a42b6e2efd38".to_owned(),
    };
    if text.len() > AGENT_TEXT_CUT { text[..AGENT_TEXT_CUT].to_owned() } else { text }
}

/// The agent of the service's own jobs.
pub(super) const JOB_AGENT: &str = "TFS JobAgent(TfsJobAgent.exe, 19.265.36412.2)";

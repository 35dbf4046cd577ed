//! Sources of webhooks as an operator meets them: in the configuration, and by `aws-ilm source`.

mod explain;
mod page;
mod start;
mod tested;

use std::{fs, path::PathBuf};

use crate::process::{Ended, run};

/// A secret of Standard Webhooks' form.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const RULES: &str = "\
    [[sources.rules]]\nwhen = \"body.type == 'employee.terminated'\"\ndo = \"disable\"\npurpose = \"termination\"\n\
    time = \"body.timestamp\"\nat = { date = \"body.data.lastDay\", side = \"end_of_day\" }\n\
    profile = { employeeid = \"body.data.employeeId\", username = \"body.data.email | lower\" }\n\
    [[sources.rules]]\nwhen = \"body.type == 'employee.hired'\"\ndo = \"create\"\nprofile = \"person\"\n\
    [sources.profiles.person]\nfields = { username = \"body.data.email | lower\", email = \"body.data.email\", \
    givenname = \"body.data.firstName\", surname = \"body.data.lastName\", \
    displayname = \"body.data.firstName ~ ' ' ~ body.data.lastName\", employeeid = \"body.data.employeeId\" }\n";

/// A configuration in a folder of its own.
struct Configured(PathBuf);

impl Configured {
    /// With a directory at `url`, and these sources.
    fn new(url: &str, sources: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("aws-ilm-sources-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        let configured = Self(folder);
        configured.file("secret", SECRET);
        let instance = format!(
            "store_path = \"store.db\"\n[[instances]]\nname = \"production\"\nurl = \"{url}\"\nauthentication_token = \"sandbox-token\"\n"
        );
        configured.file("aws-ilm.toml", &format!("{instance}{sources}"));
        configured
    }

    /// With the source `hr`, by Standard Webhooks, and rules.
    fn standard(url: &str) -> Self {
        let source = "[[sources]]\nname = \"hr\"\npreset = \"standard-webhooks\"\nsecret_files = [\"secret\"]\n\
                      zone = \"Australia/Melbourne\"\n";
        Self::new(url, &format!("{source}{RULES}"))
    }

    /// Writes a file that its owner alone may read.
    fn file(&self, name: &str, text: &str) -> String {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self) -> String {
        self.0.join("aws-ilm.toml").to_str().unwrap().to_owned()
    }

    /// Runs `aws-ilm` with these arguments and this configuration.
    fn run(&self, arguments: &[&str]) -> Ended {
        run(arguments, &[("AWS_ILM_CONFIG", &self.path())])
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

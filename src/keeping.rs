//! `backup` and `import`: what is done with the folder of a parlor, without a connection to it.

use std::process::ExitCode;

use parlor::server::{backup, import};

use crate::cli::{Backup, Import};
use crate::complain;
use crate::hosting::data_folder;

/// `parlor backup`.
pub(crate) fn backup(args: Backup) -> anyhow::Result<ExitCode> {
    let data = data_folder(args.data)?;
    backup::backup(&data, &args.file, args.force)?;
    if let Err(error) = backup::note(&data) {
        let data = data.display();
        complain(&format!(
            "The backup is whole, but `parlor status` will not know of it: {data} does not take a note ({error})."
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// `parlor import`.
pub(crate) fn import(args: Import) -> anyhow::Result<ExitCode> {
    let Import { file, room, data } = args;
    let entries = import::import(&file, &room, &data_folder(data)?)?;
    complain(&format!("{entries} entries are in {room} now."));
    Ok(ExitCode::SUCCESS)
}

//! The fastest durable log one could write by hand: appended bytes, one fdatasync per group, no reading back.

use crate::closed_loop::{Load, Measured, gather};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use tokio::sync::{mpsc, oneshot};

/// Largest group, as in the measurements that the targets come from.
const GROUP: usize = 4_096;
/// Body, ids, instant and hash of one answer.
const ENTRY: [u8; 256] = [b'x'; 256];

pub(crate) async fn run(path: &Path, in_flight: usize, load: Load) -> anyhow::Result<Measured> {
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).open(path)?;
    let (queue, mut arrived) = mpsc::channel::<oneshot::Sender<()>>(in_flight);
    let tasks = tokio::runtime::Handle::current();
    let writer = std::thread::spawn(move || {
        tasks.block_on(async move {
            let mut group = Vec::with_capacity(GROUP);
            let mut bytes = Vec::with_capacity(GROUP * ENTRY.len());
            while arrived.recv_many(&mut group, GROUP).await > 0 {
                bytes.clear();
                group.iter().for_each(|_| bytes.extend_from_slice(&ENTRY));
                file.write_all(&bytes)?;
                file.sync_data()?;
                for reply in group.drain(..) {
                    // Whose time is over does not wait for it.
                    let _ = reply.send(());
                }
            }
            anyhow::Ok(())
        })
    });
    let loops = (0..in_flight).map(|_| {
        let queue = queue.clone();
        tokio::spawn(async move {
            load.measure(|| {
                let (reply, stored) = oneshot::channel();
                let queue = queue.clone();
                async move {
                    queue.send(reply).await?;
                    Ok(stored.await?)
                }
            })
            .await
        })
    });
    let measured = gather(loops.collect(), load).await?;
    drop(queue);
    writer.join().map_err(|_| anyhow::anyhow!("the writer panicked"))??;
    Ok(measured)
}

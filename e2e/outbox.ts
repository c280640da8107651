/** In the page: how many messages its browser keeps to be sent. */
export async function countStored(): Promise<number> {
  const answerTo = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
  const database = await answerTo(indexedDB.open("realtime-outbox"))
  const count = await answerTo(database.transaction("messages").objectStore("messages").count())
  database.close()
  return count
}

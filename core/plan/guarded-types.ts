export const taskType = "aws_dms_replication_task";
export const endpointType = "aws_dms_endpoint";

/** What is lost with an object of these types, and what a person does instead. tasks.yaml announces only the first two. */
export const guarded: Readonly<
  Record<string, { readonly noun: string; readonly loss: string; readonly wayOut: string }>
> = {
  [taskType]: {
    noun: "DMS task",
    loss: "its checkpoint is lost and its collections are loaded in full",
    wayOut: "undo what makes Terraform do it, or change the task in tasks.yaml so that it is reviewed",
  },
  [endpointType]: {
    noun: "DMS endpoint",
    loss: "every task that uses it has to be created anew and loads in full",
    wayOut: "undo what makes Terraform do it; a target endpoint goes with its database in tasks.yaml only",
  },
  aws_dms_replication_instance: {
    noun: "DMS replication instance",
    loss: "all its tasks go with it and load in full",
    wayOut:
      "change what can be changed in place (class, storage, version); never its identifier or subnet group",
  },
  aws_docdb_cluster: {
    noun: "DocumentDB cluster",
    loss: "all its data goes with it",
    wayOut: "undo what makes Terraform do it; upgrades are made in place",
  },
  aws_docdb_cluster_instance: {
    noun: "DocumentDB instance",
    loss: "its connections break, and with the last one the cluster can't be reached",
    wayOut: "undo what makes Terraform do it",
  },
  aws_docdb_cluster_parameter_group: {
    noun: "DocumentDB parameter group",
    loss: "the cluster loses its TLS and change stream settings",
    wayOut: "undo what makes Terraform do it; parameters are changed in place",
  },
};

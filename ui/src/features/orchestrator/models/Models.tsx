import { useQuery } from "@tanstack/react-query";
import { Plug, Plus } from "lucide-react";
import { useState } from "react";
import type { Schemas } from "@/api/client";
import { Button } from "@/components/button";
import { Dialog } from "@/components/dialog";
import { Banner, Empty, Problem, Skeleton } from "@/components/layout";
import { Choice } from "@/features/orchestrator/models/Choice";
import { ConnectForm } from "@/features/orchestrator/models/ConnectForm";
import { InUse } from "@/features/orchestrator/models/InUse";
import { modelsQuery, useMayChange } from "@/features/orchestrator/models/queries";
import { t } from "@/strings";

const words = t.models;

export function Models() {
  const models = useQuery(modelsQuery);
  if (models.data) return <Overview overview={models.data} />;
  if (models.isError) return <Problem error={models.error} onRetry={models.refetch} />;
  return <Skeleton lines={5} />;
}

function Overview({ overview }: { overview: Schemas["ModelOverview"] }) {
  const mayChange = useMayChange();
  const [connecting, setConnecting] = useState(false);
  const { connections, providers, in_use } = overview;
  const connect = (
    <Button look="primary" onClick={() => setConnecting(true)}>
      <Plus aria-hidden />
      {words.connect}
    </Button>
  );
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="text-sm text-quiet">{words.lead}</p>
        {mayChange && connections.length > 0 && connect}
      </div>
      {!mayChange && <Banner tone="neutral">{words.onlyAdmins}</Banner>}
      <InUse inUse={in_use} />
      {connections.length > 0 ? (
        <Choice overview={overview} mayChange={mayChange} />
      ) : (
        <Empty icon={Plug} title={words.firstTitle}>
          {mayChange && (
            <div className="flex flex-col items-center gap-4">
              <p>{words.firstText}</p>
              {connect}
            </div>
          )}
        </Empty>
      )}
      <Dialog
        open={connecting}
        onOpenChange={setConnecting}
        title={words.connect}
        description={words.connectLead}
      >
        <ConnectForm providers={providers} onDone={() => setConnecting(false)} />
      </Dialog>
    </div>
  );
}
